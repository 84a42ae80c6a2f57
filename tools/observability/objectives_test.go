package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// changed is an objective of which one thing is changed, and the window whose cases are
// to notice.
type changed struct {
	what, window string
	slo          objective
	least        int
	rules        func(string) string
}

// TestObjectives changes the objectives and what the generator makes of them, one thing at
// a time: promtool's cases of that objective must notice. What it makes of requests and of
// a source is changed in one of each.
func TestObjectives(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool: make test-chart installs it")
	}
	if testing.Short() {
		t.Skip("-short is set: changing each objective takes a while")
	}
	text, err := os.ReadFile(input)
	if err != nil {
		t.Fatal(err)
	}
	now, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	var list []changed
	for _, o := range now.SLOs {
		list = append(list, definitions(o, now.Least)...)
		if o.Name == "reads-availability" || o.Name == "freshness-ecb" {
			list = append(list, generated(t, o, now.Least)...)
		}
	}
	for _, c := range list {
		t.Run(c.slo.Name+"/"+c.what, func(t *testing.T) {
			t.Parallel()
			var rules bytes.Buffer
			objectives{Least: c.least, SLOs: []objective{c.slo}}.write(&rules)
			after := rules.String()
			if c.rules != nil {
				after = c.rules(after)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "slo.yaml"), after)
			write(t, filepath.Join(dir, "test.yaml"), casesOf(t, c.window, c.slo.Name))
			failed := exec.CommandContext(t.Context(), promtool, "test", "rules", filepath.Join(dir, "test.yaml")).Run() != nil
			if changes := c.what != "nothing"; failed != changes {
				t.Errorf("promtool's cases fail: %t, want %t", failed, changes)
			}
		})
	}
	t.Logf("%d changes of the objectives", len(list))
}

// definitions changes what slo.yaml says of an objective.
func definitions(o objective, least int) []changed {
	list := []changed{{what: "nothing", window: "1h", slo: o, least: least}}
	add := func(what string, least int, change func(*objective)) {
		c := changed{what: what, window: "1h", slo: o, least: least}
		change(&c.slo)
		list = append(list, c)
	}
	if o.Source != "" {
		add("later", least, func(o *objective) { o.Late = o.Late * 3 / 2 })
		add("sooner", least, func(o *objective) { o.Late = o.Late * 2 / 3 })
		return list
	}
	add("least, more", least*3/2+1, func(*objective) {})
	add("least, less", least/2-1, func(*objective) {})
	add("no page", least, func(o *objective) { o.Page = false })
	for name, of := range map[string]func(*objective) *string{
		"total": func(o *objective) *string { return &o.Total },
		"bad":   func(o *objective) *string { return &o.Bad },
		"good":  func(o *objective) *string { return &o.Good },
	} {
		expr := *of(&o)
		for _, at := range ruleParts.FindAllStringIndex(expr, -1) {
			add(name+" without "+expr[at[0]:at[1]], least, func(o *objective) { *of(o) = expr[:at[0]] + expr[at[1]:] })
		}
	}
	return list
}

// noticedIn are the cases that see a window.
var noticedIn = map[string]string{"5m": "1h", "30m": "6h", "1h": "1h", "2h": "1d", "6h": "6h", "1d": "1d", "3d": "3d"}

var (
	windowOf  = regexp.MustCompile(`ratio_rate(\w+)\n|window: (\w+)`)
	rangePart = regexp.MustCompile(`\[\d+[mhd]\]`)
	threshold = regexp.MustCompile(`> \d+\.\d+`)
)

// generated changes what is made of an objective: leaves out a rule or its `for`, and
// changes the windows of what is recorded and the rates of what alerts.
func generated(t *testing.T, o objective, least int) []changed {
	var rules bytes.Buffer
	objectives{Least: least, SLOs: []objective{o}}.write(&rules)
	var list []changed
	for _, b := range blocks(rules.String()) {
		window := "1h"
		if m := windowOf.FindStringSubmatch(b.text); m != nil {
			window = noticedIn[m[1]+m[2]]
		}
		add := func(what, text string) {
			list = append(list, changed{b.record + b.alert + " of " + window + " " + what, window, o, least, func(rules string) string {
				if strings.Count(rules, b.text) != 1 {
					t.Errorf("%s is not there once", b.text)
				}
				return strings.Replace(rules, b.text, text, 1)
			}})
		}
		add("left out", "")
		if at := forLine.FindStringIndex(b.text); at != nil {
			add("without its for", b.text[:at[0]]+b.text[at[1]:])
		}
		switch {
		case b.record != "" && o.Source != "" && window == "3d":
			// One late step of the case's, of 90 minutes, is more than 1 % of any such window.
		case b.record != "":
			for _, part := range slices.Compact(rangePart.FindAllString(b.text, -1)) {
				for _, other := range otherParts(part) {
					add("over "+other, strings.ReplaceAll(b.text, part, other))
				}
			}
		case o.Source == "": // a source is late for a step or not: rates in between are all the same
			for i, at := range threshold.FindAllStringIndex(b.text, -1) {
				for _, other := range otherParts(b.text[at[0]:at[1]]) {
					add(fmt.Sprint(i, other), b.text[:at[0]]+other+b.text[at[1]:])
				}
			}
		}
	}
	return list
}

// casesOf returns the cases of a window that know an objective, as a file of their own.
func casesOf(t *testing.T, window, slo string) string {
	t.Helper()
	var file map[string]any
	readYAML(t, filepath.Join(chartDir, "tests", "rules", "slo_"+window+"_test.yaml"), &file)
	file["rule_files"] = []string{"slo.yaml"}
	file["tests"] = slices.DeleteFunc(file["tests"].([]any), func(c any) bool { return !strings.Contains(fmt.Sprint(c), slo) })
	text, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEachWindowFires sees to it that a case wants each alert of each objective to fire, so
// that none can be left out.
func TestEachWindowFires(t *testing.T) {
	for _, rule := range rulesOf(t, output) {
		if rule.Alert == "" {
			continue
		}
		var file struct {
			Tests []struct {
				Cases []struct {
					Expr   string
					Firing []any `yaml:"exp_samples"`
				} `yaml:"promql_expr_test"`
			}
		}
		window := rule.Labels["window"]
		readYAML(t, filepath.Join(chartDir, "tests", "rules", "slo_"+window+"_test.yaml"), &file)
		wanted := false
		for _, test := range file.Tests {
			for _, c := range test.Cases {
				wanted = wanted || len(c.Firing) > 0 && !slices.ContainsFunc(
					[]string{rule.Alert, rule.Labels["slo"], window, rule.Labels["severity"]}, func(name string) bool { return !strings.Contains(c.Expr, `"`+name+`"`) })
			}
		}
		if !wanted {
			t.Errorf("no case wants %s of %s to fire over %s", rule.Alert, rule.Labels["slo"], window)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
