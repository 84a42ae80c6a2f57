package archtest

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// vague are names that say nothing about what is inside, so that anything ends up there.
var vague = []string{"pkg", "util", "utils", "common", "helper", "helpers", "repository"}

// checkNames finds packages whose name, or a folder of whose path, is vague.
func checkNames(_ fs.FS, graph Graph) []Finding {
	var found []Finding
	for _, p := range graph {
		for _, name := range append(strings.Split(p.path(), "/"), p.Name) {
			if slices.Contains(vague, name) {
				found = append(found, Finding{File: p.path(), Text: fmt.Sprintf("%q does not say what the package holds", name)})
				break
			}
		}
	}
	return found
}
