package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.yaml.in/yaml/v3"
)

// sameRules are changes without any difference in what alerts, each with its reason.
var sameRules = []struct{ text, why string }{
	{"last_over_time(kube_pod_container_status_restarts_total[180s])", "a pod that is gone is not present after two minutes"},
	{"(bourse_source_next_run_timestamp_seconds{}) > 72000", "the others alert sooner than that"},
}

// TestRules runs promtool's tests of the rules as they are, and with one thing changed at a
// time: a rule left out, a `for` left out, and a number or a matcher of an expression
// changed. What no case notices holds nothing.
//
// promtool is given the cases that name the alert, and of the rules what is recorded and
// the alerts that these cases name: else this would take a quarter of an hour.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool: make test-chart installs it")
	}
	check := append([]string{"check", "rules"}, ruleFiles(t, chartDir)...)
	if out, err := exec.CommandContext(t.Context(), promtool, check...).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	var all sync.WaitGroup
	for _, path := range ruleTests(t, chartDir) {
		all.Go(func() {
			if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
				t.Errorf("%s", out)
			}
		})
	}
	all.Wait()
	if testing.Short() || t.Failed() {
		t.Skip("changing each rule takes a while")
	}
	bench := newBench(t, promtool)
	var list []mutant
	for _, path := range ruleFiles(t, chartDir) {
		if name := filepath.Base(path); name != "slo.yaml" { // which objectives_test.go changes
			list = append(list, bench.mutants(name)...)
		}
	}
	var next, survived atomic.Int64
	used := make([]atomic.Bool, len(sameRules))
	for range 4 {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				m := list[i]
				same := slices.IndexFunc(sameRules, func(s struct{ text, why string }) bool { return strings.Contains(m.text, s.text) })
				switch noticed := bench.noticed(m); {
				case !noticed && same < 0:
					survived.Add(1)
					t.Errorf("nothing notices %s", m.what)
				case !noticed:
					used[same].Store(true)
				}
			}
		})
	}
	all.Wait()
	for i := range used {
		if !used[i].Load() {
			t.Errorf("%q makes a difference now", sameRules[i].text)
		}
	}
	t.Logf("%d changes of the rules, %d unnoticed", len(list), survived.Load())
}

// bench runs the tests of parts of the rules.
type bench struct {
	t        *testing.T
	promtool string
	dir      string
	files    map[string][]block // of the rules
	tests    []testFile
	baseline sync.Map // of an alert: whether its cases pass without any change
}

// block is the text of one rule, with the group that it is in.
type block struct{ group, record, alert, text string }

type testFile struct {
	name  string
	files []string
	every string
	cases []map[string]any
}

func newBench(t *testing.T, promtool string) *bench {
	b := &bench{t: t, promtool: promtool, dir: t.TempDir(), files: map[string][]block{}}
	for _, path := range ruleFiles(t, chartDir) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b.files[filepath.Base(path)] = blocks(string(text))
	}
	for _, path := range ruleTests(t, chartDir) {
		if filepath.Base(path) == "recorded_test.yaml" {
			continue // it is quiet, with or without a rule
		}
		var file struct {
			Files []string         `yaml:"rule_files"`
			Every string           `yaml:"evaluation_interval"`
			Tests []map[string]any `yaml:"tests"`
		}
		readYAML(t, path, &file)
		for i := range file.Files {
			file.Files[i] = filepath.Base(file.Files[i])
		}
		b.tests = append(b.tests, testFile{filepath.Base(path), file.Files, file.Every, file.Tests})
	}
	return b
}

var (
	groupLine = regexp.MustCompile(`^  - name: (\S+)`)
	ruleLine  = regexp.MustCompile(`^      - (record|alert): (\S+)`)
)

// blocks cuts a file into its rules.
func blocks(text string) []block {
	var list []block
	group := ""
	for line := range strings.Lines(text) {
		if m := groupLine.FindStringSubmatch(line); m != nil {
			group = m[1]
		} else if m := ruleLine.FindStringSubmatch(line); m != nil {
			b := block{group: group, text: line}
			if m[1] == "alert" {
				b.alert = m[2]
			} else {
				b.record = m[2]
			}
			list = append(list, b)
		} else if n := len(list) - 1; n >= 0 && list[n].group == group && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			list[n].text += line
		}
	}
	return list
}

// mutant is a file in which one rule has another text.
type mutant struct {
	file string
	at   int // of the block
	text string
	what string
}

// mutants returns all of a file.
func (b *bench) mutants(file string) []mutant {
	var list []mutant
	for i, rule := range b.files[file] {
		name := rule.record + rule.alert
		add := func(text, what string, args ...any) {
			list = append(list, mutant{file, i, text, file + ": " + name + " (" + rule.group + "): " + fmt.Sprintf(what, args...)})
		}
		add("", "left out")
		if at := forLine.FindStringIndex(rule.text); at != nil {
			add(rule.text[:at[0]]+rule.text[at[1]:], "without its for")
		}
		for _, at := range ruleParts.FindAllStringIndex(rule.text, -1) {
			for _, other := range otherParts(rule.text[at[0]:at[1]]) {
				add(rule.text[:at[0]]+other+rule.text[at[1]:], "%q for %q, line %d of it", other, rule.text[at[0]:at[1]], 1+strings.Count(rule.text[:at[0]], "\n"))
			}
		}
	}
	return list
}

// noticed reports whether a case fails.
func (b *bench) noticed(m mutant) bool {
	rule := b.files[m.file][m.at]
	once, _ := b.baseline.LoadOrStore(m.file+rule.group+rule.alert, sync.OnceFunc(func() {
		if b.fails(mutant{m.file, m.at, rule.text, ""}) {
			b.t.Errorf("the cases of %s fail without any change", rule.alert)
		}
	}))
	once.(func())()
	return b.fails(m)
}

// fails runs the cases of a mutant.
func (b *bench) fails(m mutant) bool {
	dir, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		b.t.Error(err)
	}
	own := b.files[m.file][m.at]
	var tests []testFile
	var named strings.Builder // whatever the cases name
	for _, test := range b.tests {
		test.cases = slices.DeleteFunc(slices.Clone(test.cases), func(c map[string]any) bool { return !own.in(c) })
		if slices.Contains(test.files, m.file) && len(test.cases) > 0 {
			tests = append(tests, test)
			fmt.Fprint(&named, test.cases)
		}
	}
	for name, list := range b.files {
		text, group := "groups:\n", ""
		for i, rule := range list {
			if name == m.file && i == m.at {
				rule.text = m.text
			}
			if rule.text == "" || rule.alert != "" && !strings.Contains(named.String(), rule.alert) {
				continue
			}
			if rule.group != group {
				group = rule.group
				text += "  - name: " + group + "\n    rules:\n"
			}
			text += rule.text
		}
		b.write(filepath.Join(dir, name), text)
	}
	for _, test := range tests {
		text, err := yaml.Marshal(map[string]any{"rule_files": test.files, "evaluation_interval": test.every, "tests": test.cases})
		if err != nil {
			b.t.Error(err)
		}
		path := filepath.Join(dir, "test_"+test.name)
		b.write(path, string(text))
		if exec.CommandContext(b.t.Context(), b.promtool, "test", "rules", path).Run() != nil {
			return true
		}
	}
	return false
}

func (b *bench) write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Error(err)
	}
}

// in reports whether a case is about a rule.
func (r block) in(c map[string]any) bool {
	text := fmt.Sprint(c)
	return r.record != "" || strings.Contains(text, r.alert) || anyAlert.MatchString(text)
}

var (
	anyAlert = regexp.MustCompile(`ALERTS(?:\[|\{namespace|\{alertstate)`)
	forLine  = regexp.MustCompile(`        for: \w+\n`)
	// ruleParts are the durations, thresholds and matchers of expressions.
	ruleParts = regexp.MustCompile(`\[\d+[mhd]\]|offset \d+[mhd]|(?:==|>=?|<) (?:bool )?\d+(?:\.\d+)?|\w+(?:=|!=|=~|!~)"[^"]*"(?:, )?`)
	amount    = regexp.MustCompile(`\d+(?:\.\d+)?`)
)

// otherParts returns what to put in the place of a part: a half more and a half less of a
// number, and nothing for a matcher.
func otherParts(part string) []string {
	if strings.HasSuffix(strings.TrimSuffix(part, ", "), `"`) {
		return []string{""}
	}
	digits := amount.FindString(part)
	before, after, _ := strings.Cut(part, digits)
	switch {
	case after != "": // a duration, in seconds
		n, _ := strconv.Atoi(digits)
		n *= map[byte]int{'m': 60, 'h': 3600, 'd': 86400}[after[0]]
		after = "s" + after[1:]
		return []string{before + strconv.Itoa(n*3/2) + after, before + strconv.Itoa(n/2) + after}
	case strings.Contains(digits, "."):
		n, _ := strconv.ParseFloat(digits, 64)
		return []string{fmt.Sprint(before, n*1.5), fmt.Sprint(before, n/2)}
	}
	n, _ := strconv.Atoi(digits)
	return []string{before + strconv.Itoa(n*3/2+1), before + strconv.Itoa(n/2-1)}
}
