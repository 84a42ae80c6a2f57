package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var variable = regexp.MustCompile(`\bBOURSE_[A-Z0-9_]*`)

// checkVariables finds BOURSE_* variables in the documents that nothing reads. One is
// read when its name occurs in Go, in web/, in the Makefile or in .ci/run, or when it
// is the environment's form of a flag: -database-url is BOURSE_DATABASE_URL. A name
// that ends in "_" stands for all that begin with it.
func checkVariables(files fs.FS, _ Graph) []Finding {
	flags := literals(files, "cmd") + literals(files, "internal")
	names := []string{"Makefile", ".ci/run"}
	for _, dir := range []string{"cmd", "internal", "e2e", "web"} {
		names = append(names, under(files, dir, func(name string) bool {
			return path.Dir(name) != "internal/archtest" && (path.Ext(name) == ".go" || dir == "web")
		})...)
	}
	spelled := variable.FindAllString(concat(files, names), -1)
	reads := func(name string) bool {
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "BOURSE_")), "_", "-")
		return strings.Contains(flags, `"`+flag+`"`) || slices.ContainsFunc(spelled, func(s string) bool {
			return s == name || strings.HasSuffix(name, "_") && strings.HasPrefix(s, name)
		})
	}
	var found []Finding
	for _, doc := range documents(files) {
		for _, b := range doc.blocks {
			for _, m := range variable.FindAllStringIndex(b.text, -1) {
				if name := b.text[m[0]:m[1]]; !reads(name) {
					line := b.line + strings.Count(b.text[:m[0]], "\n")
					found = append(found, Finding{doc.name, line, fmt.Sprintf("nothing reads %s", name)})
				}
			}
		}
	}
	return found
}
