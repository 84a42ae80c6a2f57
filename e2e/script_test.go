package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// script is a file of cases.
type script struct {
	file      string
	inProcess bool   // not for live servers
	world     string // what kind of bourse it needs in-process; empty: the usual one
	cases     []testCase
}

// testCase is a request and what is said about its answer.
type testCase struct {
	line           int
	method, target string
	steps          []step
}

// step is one line of a case.
type step struct {
	line       int
	verb, rest string
}

// verbs are the words that a line can start with.
var verbs = []string{"header", "until", "status", "body", "sha256", "json", "problem", "let"}

// loadScripts reads all scripts.
func loadScripts() ([]script, error) {
	files, err := filepath.Glob("*.txt")
	if err != nil {
		return nil, err
	}
	var list []script
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s, err := parseScript(file, text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func parseScript(file string, text []byte) (script, error) {
	s := script{file: file}
	var c *testCase
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line := strings.TrimSpace(string(line))
		if rest, ok := strings.CutPrefix(line, "# only: "); ok && n == 1 {
			place, world, _ := strings.Cut(rest, " ")
			if place != "in-process" {
				return s, fmt.Errorf("%s:%d: %q is no place", file, n, place)
			}
			s.inProcess, s.world = true, world
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "":
			c = nil
		case strings.HasPrefix(line, "#"):
		case c == nil:
			if !caseStart.MatchString(line) {
				return s, fmt.Errorf("%s:%d: a case starts with a method and a target: %s", file, n, line)
			}
			s.cases = append(s.cases, testCase{line: n, method: word, target: rest})
			c = &s.cases[len(s.cases)-1]
		case slices.Contains(verbs, word):
			c.steps = append(c.steps, step{n, word, strings.TrimSpace(rest)})
		default:
			return s, fmt.Errorf("%s:%d: %q is none of %s", file, n, word, strings.Join(verbs, ", "))
		}
	}
	return s, s.check()
}

// check finds cases that say nothing of the status.
func (s script) check() error {
	for _, c := range s.cases {
		if !slices.ContainsFunc(c.steps, func(s step) bool { return s.verb == "status" }) {
			return fmt.Errorf("%s:%d: the case has no status", s.file, c.line)
		}
	}
	return nil
}

var (
	caseStart   = regexp.MustCompile(`^[A-Z]+ [/{]`)
	placeholder = regexp.MustCompile(`\{([a-z][a-z0-9_]*|repeat:[^:{}]+:\d+)\}`)
	identifier  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// expand puts in what {name} and {repeat:x:n} stand for. quote is applied to what
// was kept from an answer.
func expand(text string, kept map[string]string, quote func(string) string) (string, error) {
	var err error
	out := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[1 : len(match)-1]
		if parts := strings.Split(name, ":"); len(parts) == 3 {
			n, convErr := strconv.Atoi(parts[2])
			if convErr != nil {
				err = convErr
				return ""
			}
			return strings.Repeat(parts[1], n)
		}
		value, ok := kept[name]
		if !ok && err == nil {
			err = fmt.Errorf("nothing is kept under %q", name)
		}
		return quote(value)
	})
	return out, err
}
