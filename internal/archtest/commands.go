package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkCommands finds commands in the documents that do not work as written: targets
// that the Makefile lacks, binaries without a main package, verbs and flags of bourse
// that its sources never spell, tests that a package lacks, and addresses that bourse does
// not serve. A fence of a runbook must say whether it is one of commands, or it would not
// be looked at.
func checkCommands(files fs.FS, graph Graph) []Finding {
	makefile, _ := fs.ReadFile(files, "Makefile")
	c := commandChecker{
		files:    files,
		targets:  targets(string(makefile)),
		binaries: binaries(graph),
		verbs:    literals(files, "cmd/"+module),
		flags:    literals(files, "cmd") + literals(files, "internal"),
		askers:   newAskers(files),
	}
	var found []Finding
	for _, doc := range documents(files) {
		for _, b := range doc.blocks {
			if b.fenced && b.info == "" && path.Dir(doc.name) == "docs/runbooks" {
				found = append(found, Finding{doc.name, b.line, "the fence does not say what it holds"})
			}
		}
		for _, text := range doc.commands() {
			for _, argv := range splitShell(text.text) {
				if problem := c.check(argv); problem != "" {
					found = append(found, Finding{doc.name, text.line, problem})
				}
			}
		}
	}
	return found
}

type commandChecker struct {
	files             fs.FS
	targets, binaries []string
	verbs, flags      string // Go sources that must spell them
	askers            askers
}

var (
	assignment = regexp.MustCompile(`^[A-Za-z_]\w*=`)
	targetLine = regexp.MustCompile(`(?m)^([a-z0-9][\w ./-]*):(?:[^=]|$)`)
	flagWord   = regexp.MustCompile(`^--?([a-z][a-z0-9-]*)`)
	testName   = regexp.MustCompile(`^(Test|Fuzz)\w*$`)
	plainWord  = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// check returns what is wrong with a command, "" for nothing.
func (c commandChecker) check(argv []string) string {
	for len(argv) > 0 && (assignment.MatchString(argv[0]) || slices.Contains([]string{"env", "exec", "sudo", "time"}, argv[0])) {
		argv = argv[1:]
	}
	if len(argv) == 0 {
		return ""
	}
	name := strings.TrimPrefix(argv[0], "./")
	switch dir, binary := path.Split(name); {
	case name == "make":
		return c.checkMake(argv[1:])
	case name == "go" && len(argv) > 2 && argv[1] == "run":
		return c.checkGoRun(argv[2:])
	case name == "go" && len(argv) > 2 && argv[1] == "test":
		return c.checkGoTest(argv[2:])
	case dir == "bin/" && plainWord.MatchString(binary):
		return c.checkBinary(binary, argv[1:])
	case name == module:
		return c.checkBinary(name, argv[1:])
	case name == "curl":
		return c.askers.check(argv[1:])
	}
	return ""
}

func (c commandChecker) checkMake(args []string) string {
	for _, arg := range args {
		switch {
		case arg == "-C" || arg == "-f": // another Makefile
			return ""
		case strings.HasPrefix(arg, "-"), assignment.MatchString(arg), placeholder.MatchString(arg):
		case !slices.Contains(c.targets, arg):
			return fmt.Sprintf("the Makefile has no target %q", arg)
		}
	}
	return ""
}

func (c commandChecker) checkGoRun(args []string) string {
	for i, arg := range args {
		if binary, ok := strings.CutPrefix(arg, "./cmd/"); ok {
			return c.checkBinary(binary, args[i+1:])
		}
	}
	return ""
}

// checkGoTest looks for each test that -run names in the packages before it: go test is
// content with a name that matches none.
func (c commandChecker) checkGoTest(args []string) string {
	i := slices.Index(args, "-run")
	if i < 1 || i+1 == len(args) {
		return ""
	}
	var sources strings.Builder
	for _, dir := range args[:i] {
		dir = strings.TrimPrefix(dir, "./")
		names, _ := fs.Glob(c.files, dir+"/*_test.go") // the pattern is not malformed: paths are checked elsewhere
		sources.WriteString(concat(c.files, names))
	}
	for name := range strings.SplitSeq(strings.ReplaceAll(args[i+1], `\|`, "|"), "|") {
		name, _, _ = strings.Cut(name, "/")
		if testName.MatchString(name) && !strings.Contains(sources.String(), "\nfunc "+name) {
			return fmt.Sprintf("no test of %s is named %s", strings.Join(args[:i], " "), name)
		}
	}
	return ""
}

func (c commandChecker) checkBinary(name string, args []string) string {
	if !slices.Contains(c.binaries, name) {
		return fmt.Sprintf("there is no command cmd/%s", name)
	}
	if name == module && len(args) > 0 && plainWord.MatchString(args[0]) && !strings.Contains(c.verbs, `"`+args[0]+`"`) {
		return fmt.Sprintf("%s has no verb %q", module, args[0])
	}
	for _, arg := range args {
		if m := flagWord.FindStringSubmatch(arg); m != nil && m[1] != "help" && !strings.Contains(c.flags, `"`+m[1]+`"`) { // every command has -help
			return fmt.Sprintf("%s has no flag -%s", name, m[1])
		}
	}
	return ""
}

// targets returns the names that the rules of a Makefile make.
func targets(makefile string) []string {
	var names []string
	for _, m := range targetLine.FindAllStringSubmatch(makefile, -1) {
		names = append(names, strings.Fields(m[1])...)
	}
	return names
}

func binaries(graph Graph) []string {
	var names []string
	for _, p := range graph {
		if dir, name := path.Split(p.path()); dir == "cmd/" && p.Name == "main" {
			names = append(names, name)
		}
	}
	return names
}

// literals returns the text of the Go files below dir that end up in a binary. This
// package is left out: its fixtures spell names that must not count.
func literals(files fs.FS, dir string) string {
	return concat(files, under(files, dir, func(name string) bool {
		return path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && path.Dir(name) != "internal/archtest"
	}))
}

func concat(files fs.FS, names []string) string {
	var all strings.Builder
	for _, name := range names {
		text, _ := fs.ReadFile(files, name)
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String()
}
