package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// isTree reports whether the block is a map of the repository: a fence labelled "tree",
// or one whose first line is "bourse/".
func isTree(b block) bool {
	first, _, _ := strings.Cut(b.text, "\n")
	return b.fenced && (b.info == "tree" || strings.HasPrefix(first, module+"/"))
}

// checkTree finds the names of a map that do not exist or stand there twice. A line is its indentation
// (spaces or ├── and │), one or more names, and after two spaces or a "#" a comment. A
// name belongs to the nearest line above that is indented less.
func checkTree(files fs.FS, doc string, b block) []Finding {
	type parent struct {
		indent int
		dir    string
	}
	parents := []parent{{-1, "."}}
	named := map[string]bool{}
	var found []Finding
	for i, line := range strings.Split(b.text, "\n") {
		indent, names := treeLine(line)
		if len(names) == 0 {
			continue
		}
		for parents[len(parents)-1].indent >= indent {
			parents = parents[:len(parents)-1]
		}
		dir := parents[len(parents)-1].dir
		if dir == "." && indent == 0 && names[0] == module+"/" {
			parents = append(parents, parent{indent, "."})
			continue
		}
		for _, name := range names {
			full := strings.TrimPrefix(dir+"/"+name, "./")
			switch {
			case !exists(files, full):
				found = append(found, Finding{doc, b.line + i, fmt.Sprintf("the map names %s, which does not exist", full)})
			case named[full]:
				found = append(found, Finding{doc, b.line + i, fmt.Sprintf("the map names %s twice", full)})
			}
			named[full] = true
		}
		parents = append(parents, parent{indent, path.Join(dir, names[0])})
	}
	return found
}

func treeLine(line string) (indent int, names []string) {
	runes := []rune(line)
	for indent < len(runes) && strings.ContainsRune(" \u00a0│├└─", runes[indent]) {
		indent++
	}
	entry, _, _ := strings.Cut(string(runes[indent:]), "#")
	entry, _, _ = strings.Cut(entry, "  ")
	return indent, strings.Fields(entry)
}
