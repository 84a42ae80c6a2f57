package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	routesFile  = "internal/api/routes.go"
	openapiFile = "internal/api/openapi.yaml"
)

// checkRoutes compares the routes that the API serves with those that it documents:
// the same methods and whole paths, with the same names of parameters.
func checkRoutes(files fs.FS, _ Graph) []Finding {
	source, err := fs.ReadFile(files, routesFile)
	if err != nil {
		return []Finding{{File: routesFile, Text: "is missing"}}
	}
	doc, err := fs.ReadFile(files, openapiFile)
	if err != nil {
		return []Finding{{File: openapiFile, Text: "is missing"}}
	}
	served, err := servedRoutes(source)
	if err != nil {
		return []Finding{{File: routesFile, Text: err.Error()}}
	}
	documented := documentedRoutes(string(doc))
	return append(
		missing(served, documented, routesFile, "is not documented in "+openapiFile),
		missing(documented, served, openapiFile, "is not served by "+routesFile)...)
}

// missing returns a finding for each route of have that want lacks.
func missing(have, want map[string]int, file, text string) []Finding {
	var found []Finding
	for _, route := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[route]; !ok {
			found = append(found, Finding{file, have[route], fmt.Sprintf("%s %s", route, text)})
		}
	}
	return found
}

var (
	routePattern = regexp.MustCompile(`^[A-Z]+ /\S*$`)
	routeEnding  = strings.NewReplacer("{$}", "", "...}", "}")
)

// servedRoutes returns the patterns among the string literals of a Go file, in the
// notation of OpenAPI, with their lines.
func servedRoutes(source []byte) (map[string]int, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, routesFile, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	routes := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil && routePattern.MatchString(text) {
				routes[routeEnding.Replace(text)] = fset.Position(lit.Pos()).Line
			}
		}
		return true
	})
	return routes, nil
}

var openapiMethods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// documentedRoutes reads the methods and paths below `paths:` by indentation: a path
// is indented once, a method twice, and what is deeper does not matter.
func documentedRoutes(text string) map[string]int {
	routes := map[string]int{}
	inPaths, step, current := false, 0, ""
	for i, line := range strings.Split(text, "\n") {
		key := strings.TrimLeft(line, " ")
		indent := len(line) - len(key)
		key, _, isKey := strings.Cut(strings.TrimRight(key, " \r"), ":")
		if !isKey || strings.HasPrefix(key, "#") {
			continue
		}
		if indent == 0 {
			inPaths, step = key == "paths", 0
			continue
		}
		if step == 0 {
			step = indent
		}
		switch key = strings.Trim(key, `"'`); {
		case !inPaths:
		case indent == step:
			current = key
		case indent == 2*step && slices.Contains(openapiMethods, key):
			routes[strings.ToUpper(key)+" "+current] = i + 1
		}
	}
	return routes
}
