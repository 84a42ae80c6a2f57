// Package archtest keeps what the repository says about itself true: the paths,
// diagrams, links and commands of its documents, the import law, the names of its
// packages and the documentation of its routes.
//
// A rule is a function over the files of a repository and its import graph that
// returns what is no longer true. The tests run every rule twice: on this repository,
// which must be clean, and on a small fixture in which one thing at a time is broken,
// which must yield exactly that break.
package archtest

import (
	"fmt"
	"io/fs"
)

// Finding is one statement that is no longer true.
type Finding struct {
	File string
	Line int // 0 when the finding is about the file as a whole
	Text string
}

func (f Finding) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// Rule checks one kind of statement.
type Rule struct {
	Name  string
	Check func(files fs.FS, graph Graph) []Finding
}

// Rules are all the rules there are.
var Rules = []Rule{
	{"paths", checkPaths},
	{"arrows", checkArrows},
	{"links", checkLinks},
	{"commands", checkCommands},
	{"variables", checkVariables},
	{"import law", checkImports},
	{"names", checkNames},
	{"routes", checkRoutes},
}
