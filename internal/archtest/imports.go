package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A law says what the packages of one place may import outside of their tests.
type law struct {
	place  string   // pattern of package folders
	bourse []string // patterns of what they may import of this module
	aws    bool     // whether they may import the AWS SDK
}

// laws is the import law. It keeps the domain free of technology, the adapters
// replaceable one by one, and the wiring in one place: a change of database, of feed or
// of cloud is a new adapter and a new line in a main function.
//
// A package belongs to the first place that matches its folder or a folder above it.
var laws = []law{
	{place: "cmd/*", bourse: []string{"cmd/internal/*", "internal/*", "internal/source/*"}},
	{place: "internal/market"},
	{place: "internal/config"},
	{place: "internal/telemetry"},
	{place: "internal/balancer", bourse: []string{"internal/telemetry"}},
	{place: "internal/archtest"},
	{place: "internal/server", bourse: []string{"internal/config", "internal/telemetry"}},
	{place: "internal/ingest", bourse: []string{"internal/market", "internal/telemetry"}},
	{place: "internal/api", bourse: []string{"internal/market", "internal/telemetry"}},
	{place: "internal/web", bourse: []string{"internal/market", "internal/telemetry"}},
	{place: "internal/source/*", bourse: []string{"internal/market"}, aws: true},
	{place: "internal/sqlspan"},
	{place: "internal/sqlite", bourse: []string{"internal/market", "internal/sqlspan"}, aws: true},
	{place: "internal/postgres", bourse: []string{"internal/market", "internal/sqlspan"}, aws: true},
	{place: "internal/archive", bourse: []string{"internal/market"}, aws: true},
	{place: "internal/secret", bourse: []string{"internal/market"}, aws: true},
	{place: "internal/leftovers", aws: true},
	{place: "internal/function", aws: true},
	{place: "internal/promtest"},
	{place: "internal/replaytest"},
	{place: "internal/lambdatest"},
	{place: "e2e"}, // tests only
	{place: "drills"},
	{place: "internal/storetest", bourse: []string{"internal/market", "internal/ingest", "internal/api"}},
}

const (
	decimalType  = "github.com/govalues/decimal"
	awsPrefix    = "github.com/aws/"
	lambdaModule = "github.com/aws/aws-lambda-go"
	lambdaPlace  = "cmd/ingest-lambda"
)

// testOnly are the packages that only tests may import.
var testOnly = []string{"internal/storetest", "internal/promtest", "internal/replaytest", "internal/lambdatest", "internal/archtest"}

// checkImports finds imports that break the law.
func checkImports(_ fs.FS, graph Graph) []Finding {
	var found []Finding
	for _, p := range graph {
		l, unit, ok := lawOf(p.path())
		if !ok {
			found = append(found, Finding{File: p.path(), Text: "has no place in the import law: give it one in internal/archtest/imports.go"})
			continue
		}
		for _, imported := range p.Imports {
			if reason := l.forbids(unit, imported); reason != "" {
				found = append(found, Finding{File: p.path(), Text: fmt.Sprintf("imports %s: %s", imported, reason)})
			}
		}
	}
	return found
}

// lawOf returns the law for a folder and the folder that the law is about: for
// internal/source/ecb/internal/xml that is internal/source/ecb.
func lawOf(dir string) (l law, unit string, ok bool) {
	for _, l := range laws {
		for unit := dir; unit != "."; unit = path.Dir(unit) {
			if ok, _ := path.Match(l.place, unit); ok {
				return l, unit, true
			}
		}
	}
	return law{}, "", false
}

// forbids returns why a package of the place unit may not import something, "" when it may.
func (l law) forbids(unit, imported string) string {
	dir := inside(imported)
	switch {
	case dir != "" && (dir == unit || strings.HasPrefix(dir, unit+"/")):
		return ""
	case slices.Contains(testOnly, dir):
		return "it is for tests only"
	case dir != "" && !l.allows(dir):
		return fmt.Sprintf("of %s, %s may import %s", module, l.place, listOr(l.bourse, "nothing"))
	case dir != "":
		return ""
	case imported == lambdaModule || strings.HasPrefix(imported, lambdaModule+"/"):
		if unit != lambdaPlace {
			return "only " + lambdaPlace + " is a Lambda function"
		}
	case strings.HasPrefix(imported, awsPrefix) && !l.aws:
		return "the AWS SDK stays in adapters"
	case unit == "internal/market" && imported != decimalType && !standard(imported):
		return "the domain imports the standard library and " + decimalType + " only"
	}
	return ""
}

func (l law) allows(dir string) bool {
	return slices.ContainsFunc(l.bourse, func(pattern string) bool {
		ok, _ := path.Match(pattern, dir)
		return ok
	})
}

// standard reports whether an import path is of the standard library: those have no
// dot in their first segment.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

func listOr(list []string, empty string) string {
	if len(list) == 0 {
		return empty
	}
	return strings.Join(list, ", ")
}
