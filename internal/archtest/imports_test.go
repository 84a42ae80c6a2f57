package archtest

import (
	"slices"
	"testing"
)

func TestImportLaw(t *testing.T) {
	for _, tt := range []struct {
		from, imports string
		want          string // "" where the law allows it
	}{
		{"internal/market", "math/big", ""},
		{"internal/market", "github.com/govalues/decimal", ""},
		{"internal/market", "github.com/shopspring/decimal", ": the domain imports the standard library and github.com/govalues/decimal only"},
		{"internal/market", "bourse/internal/telemetry", ": of bourse, internal/market may import nothing"},

		{"internal/ingest", "bourse/internal/telemetry", ""},
		{"internal/ingest", "bourse/internal/sqlite", ": of bourse, internal/ingest may import internal/market, internal/telemetry"},
		{"internal/api", "bourse/internal/ingest", ": of bourse, internal/api may import internal/market, internal/telemetry"},
		{"internal/web", "bourse/internal/api", ": of bourse, internal/web may import internal/market, internal/telemetry"},
		{"internal/web", "bourse/internal/web/templates", ""},

		{"internal/source/ecb", "bourse/internal/market", ""},
		{"internal/source/ecb", "bourse/internal/source/ecb/internal/xml", ""},
		{"internal/source/ecb", "bourse/internal/source/coinbase", ": of bourse, internal/source/* may import internal/market"},
		{"internal/source/ecb/internal/xml", "bourse/internal/source/coinbase", ": of bourse, internal/source/* may import internal/market"},
		{"internal/sqlite", "bourse/internal/telemetry", ": of bourse, internal/sqlite may import internal/market, internal/sqlspan"},
		{"internal/postgres", "bourse/internal/sqlite", ": of bourse, internal/postgres may import internal/market, internal/sqlspan"},
		{"internal/postgres", "github.com/jackc/pgx/v5", ""},
		{"internal/archive", "github.com/aws/aws-sdk-go-v2/service/s3", ""},
		{"internal/archive", "bourse/internal/ingest", ": of bourse, internal/archive may import internal/market"},

		{"cmd/bourse", "bourse/internal/sqlite", ""},
		{"cmd/bourse", "bourse/internal/source/ecb", ""},
		{"cmd/bourse", "bourse/internal/storetest", ": it is for tests only"},
		{"cmd/bourse", "github.com/aws/aws-sdk-go-v2/config", ": the AWS SDK stays in adapters"},
		{"cmd/ingest", "github.com/aws/aws-lambda-go/lambda", ": only cmd/ingest-lambda is a Lambda function"},
		{"cmd/ingest-lambda", "github.com/aws/aws-lambda-go/lambda", ""},
		{"internal/archive", "github.com/aws/aws-lambda-go/events", ": only cmd/ingest-lambda is a Lambda function"},

		{"internal/telemetry", "bourse/internal/market", ": of bourse, internal/telemetry may import nothing"},
		{"internal/telemetry", "github.com/aws/aws-xray-sdk-go", ": the AWS SDK stays in adapters"},
		{"internal/config", "bourse/internal/market", ": of bourse, internal/config may import nothing"},
		{"internal/server", "bourse/internal/telemetry", ""},
		{"internal/server", "bourse/internal/market", ": of bourse, internal/server may import internal/config, internal/telemetry"},
		{"internal/storetest", "bourse/internal/ingest", ""},
		{"internal/storetest", "bourse/internal/sqlite", ": of bourse, internal/storetest may import internal/market, internal/ingest, internal/api"},
	} {
		t.Run(tt.from+" imports "+tt.imports, func(t *testing.T) {
			graph := append(slices.Clone(fixtureGraph), Package{ImportPath: "bourse/" + tt.from, Name: "x", Imports: []string{"fmt", tt.imports}})
			var want []string
			if tt.want != "" {
				want = []string{"import law: " + tt.from + ": imports " + tt.imports + tt.want}
			}
			if found := check(mapFS(fixtureFiles), graph); !slices.Equal(found, want) {
				t.Errorf("found %q, want %q", found, want)
			}
		})
	}
}

func TestPlaceInTheLaw(t *testing.T) {
	graph := append(slices.Clone(fixtureGraph), Package{ImportPath: "bourse/internal/cache", Name: "cache"})
	want := []string{"import law: internal/cache: has no place in the import law: give it one in internal/archtest/imports.go"}
	if found := check(mapFS(fixtureFiles), graph); !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

func TestVagueNames(t *testing.T) {
	for _, p := range []Package{
		{ImportPath: "bourse/internal/market/utils", Name: "text"},
		{ImportPath: "bourse/internal/market/common/dates", Name: "dates"},
		{ImportPath: "bourse/internal/market/text", Name: "helpers"},
	} {
		t.Run(p.ImportPath, func(t *testing.T) {
			found := check(mapFS(fixtureFiles), append(slices.Clone(fixtureGraph), p))
			if len(found) != 1 {
				t.Errorf("found %q, want one vague name", found)
			}
		})
	}
}

// TestList reads the graph of this module and finds this package in it.
func TestList(t *testing.T) {
	graph, err := List("../..")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(graph, func(p Package) bool { return p.path() == "internal/archtest" })
	if i < 0 {
		t.Fatal("internal/archtest is not in the graph")
	}
	if !slices.Contains(graph[i].Imports, "go/parser") {
		t.Errorf("internal/archtest imports %q, want go/parser among them", graph[i].Imports)
	}
}
