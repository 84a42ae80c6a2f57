package archtest

import (
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// served are the paths of a running bourse that no route of the API names: by port, the
// public one and the admin's.
var served = map[string][]string{
	"8080": {"/", "/livez", "/readyz"},
	"9090": {"/metrics", "/debug/pprof/", "/debug/pprof/profile", "/debug/pprof/trace"},
}

var (
	localAddress = regexp.MustCompile(`^(?:http://)?localhost:(8080|9090)(/.*)?$`)
	profiles     = regexp.MustCompile(`^/debug/pprof/(goroutine|heap|allocs|block|mutex|threadcreate)$`)
)

// askers ask bourse for what is served: by their arguments, which are addresses of it.
type askers struct {
	routes map[string]int
	words  string // Go sources that must spell the names of parameters
}

func newAskers(files fs.FS) askers {
	source, _ := fs.ReadFile(files, routesFile)
	routes, _ := servedRoutes(source)
	return askers{routes, literals(files, "internal")}
}

// check returns what is wrong with the addresses of a command.
func (a askers) check(args []string) string {
	for _, arg := range args {
		m := localAddress.FindStringSubmatch(arg)
		if m == nil {
			continue
		}
		path, query, _ := strings.Cut(m[2], "?")
		switch {
		case path == "" || slices.Contains(served[m[1]], path) || m[1] == "9090" && profiles.MatchString(path):
			continue
		case m[1] == "9090" || !a.has(path):
			return fmt.Sprintf("nothing serves %s at port %s", path, m[1])
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return fmt.Sprintf("%s: %v", arg, err)
		}
		for name := range values {
			if !strings.Contains(a.words, `"`+name+`"`) {
				return fmt.Sprintf("%s has no parameter %q", path, name)
			}
		}
	}
	return ""
}

// has reports whether a route of GET serves a path.
func (a askers) has(path string) bool {
	if len(a.routes) == 0 {
		return true // checkRoutes says so
	}
	for route := range a.routes {
		pattern, isGet := strings.CutPrefix(route, "GET ")
		if !isGet {
			continue
		}
		if fits(strings.Split(path, "/"), strings.Split(pattern, "/")) {
			return true
		}
	}
	return false
}

func fits(path, pattern []string) bool {
	if len(path) != len(pattern) {
		return false
	}
	for i, part := range pattern {
		if part != path[i] && !strings.HasPrefix(part, "{") {
			return false
		}
	}
	return true
}
