package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A rule holds in every estate. breaks_test.go breaks each.
type rule struct {
	name  string
	check func(*estate, *report)
}

var rules = slices.Concat(accessRules, networkRules, dataRules, clusterRules, operationRules)

// A report counts what a rule looked at, so that none passes by finding nothing to check.
type report struct {
	seen     int
	findings []string
}

// want notes one thing that must hold of a resource.
func (r *report) want(ok bool, of resource, format string, args ...any) {
	r.seen++
	if !ok {
		r.findings = append(r.findings, of.Address+" "+fmt.Sprintf(format, args...))
	}
}

// TestRules applies every root with the stand-in, checks all rules on what comes out, and
// destroys it to nothing.
func TestRules(t *testing.T) {
	needStandIn(t)
	var mutex sync.Mutex
	seen := map[string]int{}
	t.Run("in", func(t *testing.T) {
		for _, root := range roots(t) {
			t.Run(root, func(t *testing.T) {
				t.Parallel()
				w := openTest(t)
				if err := w.prepare(t.Context(), root); err != nil {
					t.Fatal(err)
				}
				e, err := w.apply(t.Context(), root)
				if err != nil {
					t.Fatal(err)
				}
				for _, rule := range rules {
					var r report
					rule.check(e, &r)
					for _, finding := range r.findings {
						t.Errorf("%s: %s", rule.name, finding)
					}
					mutex.Lock()
					seen[rule.name] += r.seen
					mutex.Unlock()
				}
				t.Logf("%d resources", len(e.resources))
				destroy(t, w, root)
			})
		}
	})
	for _, rule := range rules {
		if seen[rule.name] == 0 {
			t.Errorf("%s: nothing to check in any root", rule.name)
		}
		t.Logf("%-24s %4d checks", rule.name, seen[rule.name])
	}
}

// destroy sees that the order of destruction has no circle and that nothing is kept.
func destroy(t *testing.T, w *workspace, root string) {
	t.Helper()
	values, err := w.values(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.terraform(t.Context(), root, append([]string{"destroy", "-auto-approve"}, values...)...); err != nil {
		t.Fatal(err)
	}
	left, err := w.terraform(t.Context(), root, "state", "list")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("destroy left in the state:\n%s", left)
	}
}

// A breakage is an edit of a copy that a rule must see.
type breakage struct {
	root string // what is applied
	file string // what is edited
	old  string
	new  string
	want string // part of the finding
}

// A round is a copy with as many breakages as do not stand in each other's way.
type round struct {
	root  string
	files map[string]string // as they are after all edits
	of    map[string][]breakage
}

// rounds puts every breakage into the first round in which there still is what it edits.
func rounds(t *testing.T) []*round {
	t.Helper()
	var all []*round
	for _, rule := range rules {
		for _, b := range breaks[rule.name] {
			fits := func(r *round) bool { return r.root == b.root && r.edit(t, b) }
			i := slices.IndexFunc(all, fits)
			if i < 0 {
				i, all = len(all), append(all, &round{b.root, map[string]string{}, map[string][]breakage{}})
				if !fits(all[i]) {
					t.Fatalf("%s: %s has no %q to break", rule.name, b.file, b.old)
				}
			}
			all[i].of[rule.name] = append(all[i].of[rule.name], b)
		}
	}
	return all
}

func (r *round) edit(t *testing.T, b breakage) bool {
	t.Helper()
	text, edited := r.files[b.file]
	if !edited {
		read, err := os.ReadFile(filepath.Join(sources, b.file))
		if err != nil {
			t.Fatal(err)
		}
		text = string(read)
	}
	if !strings.Contains(text, b.old) {
		return false
	}
	r.files[b.file] = strings.Replace(text, b.old, b.new, 1)
	return true
}

// TestRulesBreak breaks each rule in a copy of the sources and sees it fail.
func TestRulesBreak(t *testing.T) {
	needStandIn(t)
	for _, round := range rounds(t) {
		t.Run(round.root, func(t *testing.T) {
			t.Parallel()
			w := openTest(t)
			for file, text := range round.files {
				if err := os.WriteFile(w.path(file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.prepare(t.Context(), round.root); err != nil {
				t.Fatal(err)
			}
			e, err := w.apply(t.Context(), round.root)
			if err != nil {
				t.Fatal(err)
			}
			for _, rule := range rules {
				var r report
				rule.check(e, &r)
				for _, b := range round.of[rule.name] {
					if !slices.ContainsFunc(r.findings, func(f string) bool { return strings.Contains(f, b.want) }) {
						t.Errorf("%s: with %q for %q in %s it reports %q; want %q", rule.name, b.new, b.old, b.file, r.findings, b.want)
					}
				}
			}
		})
	}
}

// TestEveryRuleIsBroken sees that no rule lacks its breakage, and the other way round.
func TestEveryRuleIsBroken(t *testing.T) {
	names := map[string]bool{}
	for _, rule := range rules {
		names[rule.name] = true
		if len(breaks[rule.name]) == 0 {
			t.Errorf("%s: nothing shows that it can fail", rule.name)
		}
	}
	for name := range breaks {
		if !names[name] {
			t.Errorf("there is no rule %q to break", name)
		}
	}
}
