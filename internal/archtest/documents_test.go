package archtest

import (
	"slices"
	"testing"
)

func TestFixtureIsTrue(t *testing.T) {
	for _, f := range check(mapFS(fixtureFiles), fixtureGraph) {
		t.Error(f)
	}
}

// TestBreaks makes one statement of the fixture untrue at a time. Exactly that one must
// be found.
func TestBreaks(t *testing.T) {
	const readme, arch, late = "README.md", "ARCHITECTURE.md", "docs/runbooks/Late.md"
	for _, tt := range []struct {
		name      string
		file      string
		old, text string
		want      string
	}{
		{"path of a file", readme, "market/bar.go:12", "market/baz.go:12", "paths: README.md:10: internal/market/baz.go does not exist"},
		{"path of a Go name", readme, "market.Bar", "markets.Bar", "paths: README.md:10: internal/markets.Bar does not exist"},
		{"path of a folder that is a file", readme, "`bin/bourse`", "`web/package.json/`", "paths: README.md:9: web/package.json/ does not exist"},
		{"path in a folder that is gone", readme, "`bin/bourse`", "`deploy/chart/`", "paths: README.md:9: deploy/chart/ does not exist"},
		{"path of a top-level file", readme, "`bin/bourse`", "`CHANGES.md`", "paths: README.md:9: CHANGES.md does not exist"},
		{"path with alternatives", readme, "{ecb,*}", "{ecb,fed}", "paths: README.md:11: internal/{market,source/{ecb,fed}}/ does not exist"},
		{"path with a placeholder", readme, "`internal/source/<feed>/`", "`cmd/<binary>/main.c`", "paths: README.md:10: cmd/<binary>/main.c does not exist"},
		{"path in a command", readme, "-addr :9000", "-addr docs/page.gif", "paths: README.md:15: docs/page.gif does not exist"},
		{"path in a diagram", arch, "internal/market<br/>the", "internal/markets<br/>the", "paths: ARCHITECTURE.md:17: internal/markets does not exist"},
		{"map, nested", readme, "    market/  #", "    markets/  #", "paths: README.md:27: the map names internal/markets/, which does not exist"},
		{"map, second name", readme, "source/ api/ ", "source/ fed/ ", "paths: README.md:29: the map names internal/fed/, which does not exist"},
		{"map, twice", readme, "source/ api/ ", "source/ market/ ", "paths: README.md:29: the map names internal/market/ twice"},
		{"map, box drawing", readme, "└── decisions/0001", "└── decisions/0002", "paths: README.md:35: the map names docs/decisions/0002-decimals.md, which does not exist"},
		{"arrow that is no import", arch, "  source -->|bars|", "  source --> main\n  source -->|bars|", "arrows: ARCHITECTURE.md:12: the chart draws internal/source/* --> cmd/bourse, which is not imported"},
		{"import that is not drawn", arch, "source -->|bars| market", "market", "arrows: ARCHITECTURE.md:6: the chart lacks internal/source/* --> internal/market"},
		{"arrow to nothing", arch, "main --> source", "main --> s3 & source", "arrows: ARCHITECTURE.md:11: main --> s3 joins a node without a package"},
		{"node that is no package", arch, "  end\n", "    docs[\"docs/decisions\"]\n  end\n", "arrows: ARCHITECTURE.md:6: docs/decisions is not a package"},
		{"line that is no arrow", arch, "  end\n", "  main --- market\n  end\n", "arrows: ARCHITECTURE.md:10: not a node or an arrow of a chart of imports: main --- market"},
		{"no chart of imports", arch, "%% imports", "%% nothing", "arrows: ARCHITECTURE.md: has no mermaid flowchart with the line %% imports"},
		{"link to a file", "docs/decisions/0001-decimals.md", "(/cmd", "(cmd", "links: docs/decisions/0001-decimals.md:3: link cmd/bourse/main.go#L3: docs/decisions/cmd/bourse/main.go does not exist"},
		{"link to a heading", readme, "#the-house-of-2026", "#house", "links: README.md:3: link ARCHITECTURE.md#house: ARCHITECTURE.md has no heading #house"},
		{"link inside the document", readme, "](#bourse)", "](#Bourse)", "links: README.md:4: link #Bourse: README.md has no heading #Bourse"},
		{"link by reference", readme, "[self]: README.md", "[self]: READ.md", "links: README.md:7: link READ.md: READ.md does not exist"},
		{"image", readme, `src="docs/page`, `src="docs/pages`, "links: README.md:5: link docs/pages.png: docs/pages.png does not exist"},
		{"make target in prose", readme, "`make build`", "`make built`", `commands: README.md:9: the Makefile has no target "built"`},
		{"make target after a continued line", readme, "test-go URL", "test-all URL", `commands: README.md:17: the Makefile has no target "test-all"`},
		{"target renamed", "Makefile", "test-go:", "test:", `commands: README.md:17: the Makefile has no target "test-go"`},
		{"binary", readme, "&& BOURSE_ADDR=':9 9' bin/bourse", "&& BOURSE_ADDR=':9 9' bin/burse", "commands: README.md:15: there is no command cmd/burse"},
		{"go run", readme, "`make build`", "`go run ./cmd/notes`", "commands: README.md:9: there is no command cmd/notes"},
		{"test", readme, "`make build`", "`go test ./cmd/bourse -run 'TestWhole\\|TestHalf/of/it'`", "commands: README.md:9: no test of ./cmd/bourse is named TestHalf"},
		{"verb", readme, "bourse backfill", "bourse refill", `commands: README.md:19: bourse has no verb "refill"`},
		{"flag", readme, "-addr", "-address", "commands: README.md:15: bourse has no flag -address"},
		{"address", late, "bars/EURUSD", "bars/EURUSD/all", "commands: docs/runbooks/Late.md:4: nothing serves /api/v1/bars/EURUSD/all at port 8080"},
		{"address of another port", late, "localhost:8080/readyz", "localhost:9090/readyz", "commands: docs/runbooks/Late.md:4: nothing serves /readyz at port 9090"},
		{"parameter", late, "?addr=", "?limit=", `commands: docs/runbooks/Late.md:4: /api/v1/bars/EURUSD has no parameter "limit"`},
		{"profile", late, "pprof/heap", "pprof/heaps", "commands: docs/runbooks/Late.md:5: nothing serves /debug/pprof/heaps at port 9090"},
		{"verb in a runbook", late, "bourse backfill", "bourse fill", `commands: docs/runbooks/Late.md:6: bourse has no verb "fill"`},
		{"fence without a name", late, "```promql", "```", "commands: docs/runbooks/Late.md:10: the fence does not say what it holds"},
		{"variable", readme, "BOURSE_DATABASE_URL", "BOURSE_DATABASE", "variables: README.md:12: nothing reads BOURSE_DATABASE"},
		{"variables by prefix", readme, "BOURSE_TEST_*", "BOURSE_TRIAL_*", "variables: README.md:12: nothing reads BOURSE_TRIAL_"},
		{"route without documentation", "internal/api/routes.go", `"not a route"`, `"GET /api/v1/runs"`, "routes: internal/api/routes.go:5: GET /api/v1/runs is not documented in internal/api/openapi.yaml"},
		{"method without documentation", "internal/api/openapi.yaml", "    post: {}\n", "", "routes: internal/api/routes.go:4: POST /api/v1/bars/{symbol} is not documented in internal/api/openapi.yaml"},
		{"documentation without a route", "internal/api/openapi.yaml", "    post: {}\n", "    post: {}\n    delete: {}\n", "routes: internal/api/openapi.yaml:13: DELETE /api/v1/bars/{symbol} is not served by internal/api/routes.go"},
		{"no routes", "internal/api/routes.go", "", "", "routes: internal/api/routes.go: is missing"},
		{"no documentation of routes", "internal/api/openapi.yaml", "", "", "routes: internal/api/openapi.yaml: is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := check(change(t, tt.file, tt.old, tt.text), fixtureGraph)
			if !slices.Equal(found, []string{tt.want}) {
				t.Errorf("found\n%q\nwant\n%q", found, tt.want)
			}
		})
	}
}
