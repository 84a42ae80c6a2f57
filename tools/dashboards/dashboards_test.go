package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

func TestMain(m *testing.M) {
	plugins.RegisterDefaultPlugins() // so that JSON is read back into panels of their kinds
	os.Exit(m.Run())
}

// TestGenerated sees to it that the chart's files are what the code makes, no more and no less.
func TestGenerated(t *testing.T) {
	all, err := dashboards()
	if err != nil {
		t.Fatal(err)
	}
	texts := files(t)
	for name := range texts {
		if all[name] == nil {
			t.Errorf("%s.json is of no dashboard here", name)
		}
	}
	for name, builder := range all {
		want, err := render(builder)
		if err != nil || !bytes.Equal(texts[name], want) {
			t.Errorf("%s.json differs from the code (%v): make generate writes it", name, err)
		}
	}
}

// TestRoundTrip reads the files with Grafana's own types, and writes them again: what those do not know would be lost.
func TestRoundTrip(t *testing.T) {
	all := boards(t)
	for name, text := range files(t) {
		again, err := json.Marshal(all[name])
		var got, want any
		if err == nil {
			err = errors.Join(json.Unmarshal(again, &got), json.Unmarshal(text, &want))
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is not the same when Grafana's types have read it (%v)", name, err)
		}
		if len(text) > 200<<10 {
			t.Errorf("%s has %d bytes; Kubernetes takes 1 MiB in a ConfigMap, and kubectl apply 256 KiB", name, len(text))
		}
	}
}

// TestPanels holds every panel, variable and mark against what is known.
func TestPanels(t *testing.T) {
	metrics, queries := known(t), 0
	var marks []byte
	for name, board := range boards(t) {
		for _, problem := range check(metrics, board) {
			t.Errorf("%s: %s", name, problem)
		}
		if *board.Uid != "bourse-"+name {
			t.Errorf("%s has the uid %s", name, *board.Uid)
		}
		same, err := json.Marshal(board.Annotations)
		if err != nil || marks != nil && !bytes.Equal(marks, same) {
			t.Errorf("%s marks other things on its time axis than the others (%v)", name, err)
		}
		marks = same
		queries += len(queriesOf(board))
	}
	t.Logf("%d queries", queries)
}

// units are those that say what a number is. "none" is a count, "short" one with k and M.
var units = []string{"none", "short", "s", "bytes", "Bps", "percentunit", "reqps", "ops", "bool_yes_no", "dateTimeAsIso", "dateTimeFromNow"}

var (
	legendLabel   = regexp.MustCompile(`\{\{(\w+)\}\}`)
	anyVariable   = regexp.MustCompile(`\$(\w+)`)
	fixedWindow   = regexp.MustCompile(`\[\d+[a-z]\w*\]`)
	variableQuery = regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)
)

// check returns what is wrong with a dashboard.
func check(metrics catalogue, board dashboard.Dashboard) (wrong []string) {
	for _, p := range board.Panels {
		if p.Panel == nil {
			continue
		}
		for _, problem := range checkPanel(metrics, *p.Panel) {
			wrong = append(wrong, fmt.Sprintf("panel %q: %s", *p.Panel.Title, problem))
		}
	}
	wrong = append(wrong, checkGrid(board)...)
	for _, a := range board.Annotations.List {
		result, problems := follow(metrics, *a.Expr, false)
		for _, m := range legendLabel.FindAllStringSubmatch(*a.TitleFormat+*a.TextFormat, -1) {
			if !result[m[1]] {
				problems = append(problems, fmt.Sprintf("its text names the label %q, and there is %v", m[1], result))
			}
		}
		if target := a.Target.(*prometheus.Dataquery); target.Expr != *a.Expr {
			problems = append(problems, "it has two queries")
		}
		if *a.UseValueForTime != strings.HasPrefix(*a.Expr, "1000 * ") {
			problems = append(problems, "a value that is a time is one in milliseconds")
		}
		for _, problem := range problems {
			wrong = append(wrong, fmt.Sprintf("mark %q: %s", a.Name, problem))
		}
	}
	return append(wrong, checkVariables(metrics, board)...)
}

func checkPanel(metrics catalogue, p dashboard.Panel) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if p.Description == nil || len(*p.Description) < 20 {
		say("it does not say what it shows")
	}
	if p.FieldConfig == nil || p.FieldConfig.Defaults.Unit == nil || !slices.Contains(units, *p.FieldConfig.Defaults.Unit) {
		say("it has no unit, or one that is not known here")
	}
	if p.Datasource == nil || *p.Datasource.Uid != "${datasource}" {
		say("it asks another datasource than that of the variable")
	}
	if len(p.Targets) == 0 {
		say("it has no query")
	}
	names := map[string]bool{}
	for _, target := range p.Targets {
		q := target.(*prometheus.Dataquery)
		heat := p.Type == "heatmap"
		result, problems := follow(metrics, q.Expr, heat)
		for _, problem := range problems {
			say("%s: %s", *q.RefId, problem)
		}
		if m := fixedWindow.FindString(q.Expr); m != "" {
			say("%s: the window %s is too short or too long when the range is another", *q.RefId, m)
		}
		if names[*q.RefId] {
			say("two queries are %s", *q.RefId)
		}
		names[*q.RefId] = true
		if p.Type == "table" || p.Type == "stat" {
			continue
		}
		for _, problem := range checkLegend(result, *q.LegendFormat) {
			say("%s: %s", *q.RefId, problem)
		}
	}
	return wrong
}

// checkLegend sees to it that a legend names what there is, and tells all series of a query apart. Of namespaces there is
// most often one.
func checkLegend(result labelSet, legend string) (wrong []string) {
	named := labelSet{"namespace": true}
	for _, m := range legendLabel.FindAllStringSubmatch(legend, -1) {
		named[m[1]] = true
		if !result[m[1]] {
			wrong = append(wrong, fmt.Sprintf("the legend names the label %q, and there is %v", m[1], result))
		}
	}
	for l := range result {
		if !named[l] {
			wrong = append(wrong, fmt.Sprintf("the legend does not tell apart series that differ in %q", l))
		}
	}
	if legend == "" {
		wrong = append(wrong, "it has no legend")
	}
	return wrong
}

// checkGrid finds panels on top of each other, or beyond the 24 columns.
func checkGrid(board dashboard.Dashboard) (wrong []string) {
	taken := map[[2]uint32]string{}
	for _, p := range board.Panels {
		if p.Panel == nil {
			continue
		}
		at := p.Panel.GridPos
		if at.X+at.W > 24 {
			wrong = append(wrong, fmt.Sprintf("panel %q is wider than the page", *p.Panel.Title))
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other := taken[[2]uint32{x, y}]; other != "" && other != *p.Panel.Title {
					wrong = append(wrong, fmt.Sprintf("panel %q lies on %q", *p.Panel.Title, other))
				}
				taken[[2]uint32{x, y}] = *p.Panel.Title
			}
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

// checkVariables sees to it that each variable has values, and that each that a query names is there.
func checkVariables(metrics catalogue, board dashboard.Dashboard) (wrong []string) {
	has := setOf("__rate_interval", "__range", "__interval")
	for _, v := range board.Templating.List {
		has[v.Name] = true
		if v.Type != dashboard.VariableTypeQuery {
			continue
		}
		m := variableQuery.FindStringSubmatch(*v.Query.String)
		if m == nil {
			wrong = append(wrong, fmt.Sprintf("variable %s: %q is not understood", v.Name, *v.Query.String))
		} else if metric, ok := metrics.series(m[1]); !ok || !metric.labels[m[2]] {
			wrong = append(wrong, fmt.Sprintf("variable %s: there is no %s with the label %s", v.Name, m[1], m[2]))
		}
	}
	used := setOf("datasource")
	for _, q := range queriesOf(board) {
		for _, m := range anyVariable.FindAllStringSubmatch(strings.ReplaceAll(strings.ReplaceAll(q.expr, `"$1"`, ""), `${1}`, ""), -1) {
			used[m[1]] = true
			if !has[m[1]] {
				wrong = append(wrong, fmt.Sprintf("%s: there is no variable %s", q.what, m[1]))
			}
		}
	}
	for _, v := range board.Templating.List {
		if !used[v.Name] {
			wrong = append(wrong, fmt.Sprintf("nothing asks for the variable %s", v.Name))
		}
	}
	return wrong
}

// asked is a query, and where it stands.
type asked struct{ what, expr string }

// queriesOf returns all queries of a dashboard.
func queriesOf(board dashboard.Dashboard) (all []asked) {
	add := func(what string, target variants.Dataquery) {
		all = append(all, asked{what, target.(*prometheus.Dataquery).Expr})
	}
	for _, p := range board.Panels {
		if p.Panel == nil {
			continue
		}
		for _, target := range p.Panel.Targets {
			add("panel "+*p.Panel.Title, target)
		}
	}
	for _, a := range board.Annotations.List {
		add("mark "+a.Name, a.Target)
	}
	return all
}

// files returns the JSON of all dashboards of the chart.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no dashboards", err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = text
	}
	return all
}

func boards(t *testing.T) map[string]dashboard.Dashboard {
	t.Helper()
	all := map[string]dashboard.Dashboard{}
	for name, text := range files(t) {
		var board dashboard.Dashboard
		if err := json.Unmarshal(text, &board); err != nil {
			t.Fatal(err)
		}
		all[name] = board
	}
	return all
}
