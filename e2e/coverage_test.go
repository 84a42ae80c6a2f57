package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unscripted are the problems that no client can bring about at will, with what
// tests them instead.
var unscripted = map[string]string{
	"key-required":      "needs a series under an internal licence: TestAccess in internal/api",
	"forbidden":         "needs the same: TestAccess in internal/api",
	"too-many-requests": "needs a limit that the other scripts would meet: TestLimit in internal/api",
	"internal":          "needs a fault in our own code: TestPanicIsInternal in internal/api",
	"too-many-streams":  "needs a thousand open connections: TestTooManyStreams in internal/api",
}

// TestCoverage holds the scripts to the API: each route is answered in one of them,
// and each problem occurs.
func TestCoverage(t *testing.T) {
	mux := http.NewServeMux()
	routes := routesOf(t)
	for _, pattern := range routes {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	answered, occurred := map[string]bool{}, map[string]bool{}
	for _, s := range load(t) {
		for _, c := range s.cases {
			for _, step := range c.steps {
				slug, _, _ := strings.Cut(step.rest, " ")
				occurred[slug] = occurred[slug] || step.verb == "problem"
				if step.verb == "status" && step.rest == "200" {
					answered[patternOf(mux, c)] = true
				}
			}
		}
	}
	for _, pattern := range routes {
		if !answered[pattern] {
			t.Errorf("no script has an answer of %s", pattern)
		}
	}
	slugs := slugsOf(t)
	for _, slug := range slugs {
		if _, excused := unscripted[slug]; occurred[slug] == excused {
			t.Errorf("problem %s: in a script: %t, listed as not scripted: %t", slug, occurred[slug], excused)
		}
	}
	for slug := range maps.Keys(unscripted) {
		if !slices.Contains(slugs, slug) {
			t.Errorf("problem %s is listed as not scripted and does not exist", slug)
		}
	}
}

// patternOf returns the route that a case asks for, "" where there is none.
func patternOf(mux *http.ServeMux, c testCase) string {
	path, _, _ := strings.Cut(c.target, "?")
	r, err := http.NewRequest(c.method, placeholder.ReplaceAllString(path, "x"), nil)
	if err != nil {
		return ""
	}
	_, pattern := mux.Handler(r)
	return pattern
}

var routePattern = regexp.MustCompile(`^[A-Z]+ /\S*$`)

// routesOf returns the routes that the API registers.
func routesOf(t *testing.T) []string {
	t.Helper()
	var routes []string
	inspect(t, "../internal/api/routes.go", func(n ast.Node) {
		if text, ok := textLiteral(n); ok && routePattern.MatchString(text) {
			routes = append(routes, text)
		}
	})
	if len(routes) == 0 {
		t.Fatal("no routes were found")
	}
	return routes
}

// slugsOf returns the problems that the API knows: the first field of each kind.
func slugsOf(t *testing.T) []string {
	t.Helper()
	var slugs []string
	inspect(t, "../internal/api/problem.go", func(n ast.Node) {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || len(literal.Elts) == 0 {
			return
		}
		if name, ok := literal.Type.(*ast.Ident); !ok || name.Name != "kind" {
			return
		}
		if slug, ok := textLiteral(literal.Elts[0]); ok {
			slugs = append(slugs, slug)
		}
	})
	if len(slugs) == 0 {
		t.Fatal("no problems were found")
	}
	return slugs
}

func inspect(t *testing.T, file string, visit func(ast.Node)) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool { visit(n); return true })
}

func textLiteral(n ast.Node) (string, bool) {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}
