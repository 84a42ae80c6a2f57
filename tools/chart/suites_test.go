package chart

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/helm-unittest/helm-unittest/pkg/unittest"
	"github.com/helm-unittest/helm-unittest/pkg/unittest/printer"
)

// TestSuites sees to it that each template has a suite of its name that renders it.
func TestSuites(t *testing.T) {
	templates, err := filepath.Glob(filepath.Join(chartDir, "templates", "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, path := range templates {
		name := filepath.Base(path)
		if filepath.Ext(name) == ".tpl" {
			continue // seen through the templates that include it
		}
		count++
		suite := strings.TrimSuffix(name, filepath.Ext(name))
		text, err := os.ReadFile(filepath.Join(chartDir, "tests", suite+"_test.yaml"))
		if err != nil {
			t.Errorf("templates/%s has no suite", name)
		} else if !bytes.Contains(text, []byte("templates: [templates/"+name+"]")) {
			t.Errorf("tests/%s_test.yaml does not render templates/%s", suite, name)
		}
	}
	t.Logf("%d templates, each with a suite", count)
}

var branch = regexp.MustCompile(`\{\{-? *((?:else )?if|(?:else )?with|range)( (?:\$[^}]*:=)?)([^}]*?) *-?\}\}`)

// sameEitherWay are branches that may go the other way without any difference in what
// is rendered, each with its reason.
var sameEitherWay = map[string]string{}

// TestBranches takes every branch of the templates the other way, one at a time, and
// sees a case fail: what no case holds could be removed.
func TestBranches(t *testing.T) {
	if testing.Short() {
		t.Skip("-short is set: this test takes a minute")
	}
	paths, err := filepath.Glob(filepath.Join(chartDir, "templates", "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bourse")
	if err := os.CopyFS(dir, os.DirFS(chartDir)); err != nil {
		t.Fatal(err)
	}
	if !unitTests(dir, "*") {
		t.Fatal("the suites fail as they are")
	}
	mutants, held := 0, 0
	for _, path := range paths {
		name := filepath.Base(path)
		suites := strings.TrimSuffix(name, filepath.Ext(name))
		if filepath.Ext(name) == ".tpl" {
			suites = "*"
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range branch.FindAllSubmatchIndex(text, -1) {
			for _, other := range others(string(text[at[2]:at[3]])) {
				mutants++
				mutant := string(text[:at[6]]) + " " + other + string(text[at[7]:])
				if err := os.WriteFile(filepath.Join(dir, "templates", name), []byte(mutant), 0o600); err != nil {
					t.Fatal(err)
				}
				line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
				what := fmt.Sprintf("%s: %s as %s", name, text[at[0]:at[1]], other)
				switch passed, reason := unitTests(dir, suites), sameEitherWay[what]; {
				case passed && reason == "":
					t.Errorf("line %d of %s: no case fails", line, what)
				case !passed && reason != "":
					t.Errorf("%s does make a difference", what)
				default:
					held++
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "templates", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d ways to take a branch wrong, %d noticed", mutants, held)
}

// others returns what to put in the place of a condition.
func others(keyword string) []string {
	switch {
	case strings.HasSuffix(keyword, "if"):
		return []string{"true", "false"}
	case strings.HasSuffix(keyword, "with"):
		return []string{`""`}
	}
	return []string{"list"}
}

// helm-unittest sets colors for the whole process.
var oneAtATime sync.Mutex

// unitTests runs the suites whose names match, and reports whether they pass.
func unitTests(dir, suites string) bool {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	plain := false
	runner := unittest.TestRunner{
		Printer:   printer.NewPrinter(io.Discard, &plain),
		TestFiles: []string{"tests/" + suites + "_test.yaml"},
		Strict:    true,
		Failfast:  true,
	}
	return runner.RunV3([]string{dir})
}
