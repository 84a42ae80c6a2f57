package archtest

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// importMark is the comment line that makes a flowchart a statement about imports.
const importMark = "%% imports"

// checkArrows compares the flowcharts of ARCHITECTURE.md that contain importMark with
// the import graph. Each arrow must be a direct import, and each direct import between
// two packages of the chart must be drawn. A node is declared as id["path of package"];
// a path with a "*" or <name> stands for all the packages it matches.
func checkArrows(files fs.FS, graph Graph) []Finding {
	const name = "ARCHITECTURE.md"
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return []Finding{{File: name, Text: "is missing"}}
	}
	var found []Finding
	marked := false
	for _, b := range parseMarkdown(name, string(text)).blocks {
		if b.info == "mermaid" && strings.Contains(b.text, importMark) {
			marked = true
			found = append(found, parseChart(b).check(name, graph)...)
		}
	}
	if !marked {
		return []Finding{{File: name, Text: "has no mermaid flowchart with the line " + importMark}}
	}
	return found
}

// chart is a flowchart of packages.
type chart struct {
	line    int
	nodes   map[string]string // id to package pattern
	arrows  map[arrow]int     // to the line where it is drawn
	unknown []code            // lines that are neither nodes nor arrows
}

type arrow struct{ from, to string }

var (
	chartWords = []string{"flowchart", "graph", "subgraph", "end", "direction", "classDef", "class", "style", "linkStyle", "click"}
	chartNode  = regexp.MustCompile(`^\s*([A-Za-z]\w*)(?:[\[({]+"([^"]*)"[\])}]+)?(?::::\w+)?\s*`)
	chartArrow = regexp.MustCompile(`^(?:-->|-\.->|==>)(?:\|[^|]*\|)?`)
)

func parseChart(b block) *chart {
	c := &chart{line: b.line, nodes: map[string]string{}, arrows: map[arrow]int{}}
	for i, line := range strings.Split(b.text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "%%") || slices.Contains(chartWords, words[0]) {
			continue
		}
		if !c.statement(b.line+i, line) {
			c.unknown = append(c.unknown, code{b.line + i, strings.TrimSpace(line)})
		}
	}
	return c
}

// statement reads `a["label"] & b --> c --> d`.
func (c *chart) statement(line int, text string) bool {
	var before []string
	for {
		group, rest := c.group(text)
		if len(group) == 0 {
			return false
		}
		for _, from := range before {
			for _, to := range group {
				c.arrows[arrow{from, to}] = line
			}
		}
		sign := chartArrow.FindString(rest)
		if sign == "" {
			return strings.Trim(rest, " ;\t") == ""
		}
		before, text = group, rest[len(sign):]
	}
}

// group reads nodes joined by "&" and returns their ids and what follows.
func (c *chart) group(text string) (ids []string, rest string) {
	for {
		m := chartNode.FindStringSubmatch(text)
		if m == nil {
			return nil, text
		}
		ids = append(ids, m[1])
		if label := words(mermaidText.Replace(m[2])); len(label) > 0 {
			c.nodes[m[1]] = strings.TrimSuffix(placeholder.ReplaceAllString(label[0], "*"), "/")
		}
		text = text[len(m[0]):]
		next, more := strings.CutPrefix(text, "&")
		if !more {
			return ids, text
		}
		text = next
	}
}

func (c *chart) check(doc string, graph Graph) []Finding {
	var found []Finding
	for _, u := range c.unknown {
		found = append(found, Finding{doc, u.line, "not a node or an arrow of a chart of imports: " + u.text})
	}
	imports := c.imports(graph)
	for a, line := range c.arrows {
		from, to := c.nodes[a.from], c.nodes[a.to]
		switch {
		case from == "" || to == "":
			found = append(found, Finding{doc, line, fmt.Sprintf("%s --> %s joins a node without a package", a.from, a.to)})
		case !imports[a]:
			found = append(found, Finding{doc, line, fmt.Sprintf("the chart draws %s --> %s, which is not imported", from, to)})
		}
	}
	for a := range imports {
		if _, drawn := c.arrows[a]; !drawn {
			found = append(found, Finding{doc, c.line, fmt.Sprintf("the chart lacks %s --> %s", c.nodes[a.from], c.nodes[a.to])})
		}
	}
	for _, pattern := range c.nodes {
		if !graph.names(pattern) {
			found = append(found, Finding{doc, c.line, pattern + " is not a package"})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return cmp.Or(a.Line-b.Line, cmp.Compare(a.Text, b.Text)) })
	return found
}

// imports returns the direct imports between the nodes of the chart.
func (c *chart) imports(graph Graph) map[arrow]bool {
	imports := map[arrow]bool{}
	for _, p := range graph {
		for _, imported := range p.Imports {
			for from, fromPattern := range c.nodes {
				for to, toPattern := range c.nodes {
					if from != to && isPackage(fromPattern, p.ImportPath) && isPackage(toPattern, imported) {
						imports[arrow{from, to}] = true
					}
				}
			}
		}
	}
	return imports
}

// isPackage reports whether a node's pattern means the package: its folder in this
// module, or its whole import path outside of it.
func isPackage(pattern, importPath string) bool {
	name := importPath
	if dir := inside(importPath); dir != "" {
		name = dir
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// names reports whether a pattern matches a package of the module or one it imports.
func (g Graph) names(pattern string) bool {
	return slices.ContainsFunc(g, func(p Package) bool {
		return isPackage(pattern, p.ImportPath) ||
			slices.ContainsFunc(p.Imports, func(imported string) bool { return isPackage(pattern, imported) })
	})
}
