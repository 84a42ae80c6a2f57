package archtest

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// The fixture is a small repository of which everything is true.
var fixtureFiles = map[string]string{
	".gitignore": "/bin/\n/data/\n/internal/web/dist/*\n!/internal/web/dist/.gitignore\nnode_modules/\n",
	"Makefile":   "URL ?= x\n\nhelp: ## Help\n\techo\n\nbuild test-go: web/package.json\n\tgo build\n",
	".ci/run":    "BOURSE_TEST_DATA=x make test-go\n",
	"README.md": `# Bourse

It is *one* process, see [the ` + "`design`" + `](ARCHITECTURE.md#the-house-of-2026) and [the
decision](docs/decisions/0001-decimals.md), [above](#bourse), [elsewhere](https://example.com/x#y).
<img src="docs/page.png"> [![badge](docs/page.png)][self]

[self]: README.md

Run ` + "`make build`" + ` into ` + "`bin/bourse`" + `; the domain is in ` + "`internal/market`" + `,
its bars are ` + "`internal/market.Bar`" + ` at ` + "`./internal/market/bar.go:12`" + `. Feeds: ` + "`internal/source/<feed>/`" + ` as
` + "`internal/{market,source/{ecb,*}}/...`" + `. Not paths: ` + "`application/json`, `/api/v1/x`, `internal`" + `. In front of
` + "``a ` b``" + ` stands BOURSE_DATABASE_URL, BOURSE_TEST_* and ` + "`BOURSE_ADDR`" + `.

` + "```" + `console
$ make build && BOURSE_ADDR=':9 9' bin/bourse -addr :9000  # make haste
make: this line is output of nothing
$ make \
    test-go URL="a b" -j2
$ go run ./cmd/bourse backfill --database-url=x
$ make -C elsewhere whatever
` + "```" + `

` + "```" + `
bourse/
  cmd/bourse/       the binary, bin/nothing
  internal/
    market/  # the domain
    source/<feed>/  one per upstream
    source/ api/  two names
  # a comment on its own line
` + "```" + `

` + "```tree" + `
├── docs/
│   └── decisions/0001-decimals.md  # the first
└── Makefile
` + "```" + `
`,
	"ARCHITECTURE.md": `# Architecture

## The ` + "`house`" + ` of 2026!

` + "```mermaid" + `
flowchart LR
  %% imports
  subgraph one["commands"]
    main["cmd/bourse<br/>wires"]
  end
  main --> source["internal/source/*"] & market["internal/market"]
  source -->|bars| market --> decimal["github.com/govalues/decimal"]
` + "```" + `

` + "```mermaid" + `
flowchart LR
  a["internal/market<br/>the domain"] --> b["S3"]
` + "```" + `
`,
	"docs/decisions/0001-decimals.md": "# Decimals\n\nSee [the README](../../README.md#bourse) and [main](/cmd/bourse/main.go#L3).\n",
	"docs/page.png":                   "",
	"docs/runbooks/Late.md": "# Late\n\n```sh\ncurl -s 'localhost:8080/api/v1/bars/EURUSD?addr=5' http://localhost:8080/readyz\n" +
		"curl 'localhost:9090/debug/pprof/heap?debug=1' localhost:9090/metrics https://example.com/x\nbourse backfill\n```\n\n```promql\nup\n```\n",
	"cmd/bourse/main.go":                    "package main\n\nvar _ = []string{\"addr\", \"backfill\", \"database-url\"}\n",
	"cmd/bourse/main_test.go":               "package main\n\nfunc TestWholeHistory() {}\n",
	"internal/market/bar.go":                "package market\n\nvar env = []string{\"BOURSE_ADDR\", \"addr\"}\n",
	"internal/source/ecb/ecb.go":            "package ecb\n",
	"internal/source/ecb/internal/xml/x.go": "package xml\n",
	"cmd/notes/plan.txt":                    "",
	"web/package.json":                      "{}\n",
	"internal/api/routes.go": `package api

var routes = []string{
	"GET /api/v1/bars/{symbol}", "POST /api/v1/bars/{symbol}", "GET /api/v1/files/{name...}",
	"not a route", "/api/v1/",
}
`,
	"internal/api/openapi.yaml": `openapi: 3.1.0
info:
  title: get
paths:
  # comments: do not count
  /api/v1/bars/{symbol}:
    parameters:
      - name: symbol
    get:
      responses:
        "200": {description: "get: it"}
    post: {}
  "/api/v1/files/{name}":
    get:
      summary: A file
components:
  schemas:
    get: {}
`,
}

var fixtureGraph = Graph{
	{ImportPath: "bourse/cmd/bourse", Name: "main", Imports: []string{"fmt", "bourse/internal/market", "bourse/internal/source/ecb"}},
	{ImportPath: "bourse/internal/market", Name: "market", Imports: []string{"time", "github.com/govalues/decimal"}},
	{ImportPath: "bourse/internal/source/ecb", Name: "ecb", Imports: []string{"bourse/internal/market", "bourse/internal/source/ecb/internal/xml", "github.com/aws/aws-sdk-go-v2/aws"}},
	{ImportPath: "bourse/internal/source/ecb/internal/xml", Name: "xml", Imports: []string{"encoding/xml"}},
}

// change replaces old by new in a file of a copy of the fixture; where old is "" the
// file is written anew, and where both are, it is removed.
func change(t *testing.T, name, old, text string) fs.FS {
	t.Helper()
	files := maps.Clone(fixtureFiles)
	switch {
	case old == "" && text == "":
		delete(files, name)
	case old == "":
		files[name] = text
	case !strings.Contains(files[name], old):
		t.Fatalf("%s of the fixture does not contain %q", name, old)
	default:
		files[name] = strings.Replace(files[name], old, text, 1)
	}
	return mapFS(files)
}

func mapFS(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

// check runs every rule.
func check(files fs.FS, graph Graph) []string {
	var found []string
	for _, rule := range Rules {
		for _, f := range rule.Check(files, graph) {
			found = append(found, rule.Name+": "+f.String())
		}
	}
	return found
}
