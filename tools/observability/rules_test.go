package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Where things are, seen from here.
const (
	chartDir = "../../deploy/chart"
	runbooks = "../../docs/runbooks"
)

// rule is one of a file of rules.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// rulesOf returns the rules of a file.
func rulesOf(t *testing.T, path string) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	readYAML(t, path, &file)
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// TestAlerts sees to it that whoever is alerted is told how bad it is and what to do, that
// there is no runbook without its alert, that promtool is to see each alert both fire and
// not fire, and that docs/alerts.md says of each what it was seen to tell of.
func TestAlerts(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, path := range ruleTests(t, chartDir) {
		var tests struct {
			Tests []struct {
				Cases []struct {
					Alert  string `yaml:"alertname"`
					Firing []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		readYAML(t, path, &tests)
		for _, test := range tests.Tests {
			for _, c := range test.Cases {
				fires[c.Alert] = fires[c.Alert] || len(c.Firing) > 0
				quiet[c.Alert] = quiet[c.Alert] || len(c.Firing) == 0
			}
		}
	}
	var alerts []string
	for _, path := range ruleFiles(t, chartDir) {
		for _, rule := range rulesOf(t, path) {
			if rule.Alert == "" {
				continue // it records
			}
			alerts = append(alerts, rule.Alert)
			if s := rule.Labels["severity"]; s != "warning" && s != "critical" {
				t.Errorf("%s has the severity %q", rule.Alert, s)
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s does not say what is wrong", rule.Alert)
			}
			text, err := os.ReadFile(filepath.Join(runbooks, rule.Alert+".md"))
			if want := "docs/runbooks/" + rule.Alert + ".md"; rule.Annotations["runbook"] != want || err != nil || !strings.HasPrefix(string(text), "# "+rule.Alert+"\n") {
				t.Errorf("%s has the runbook %q, want %s with its name at the top (%v)", rule.Alert, rule.Annotations["runbook"], want, err)
			}
			if !fires[rule.Alert] || !quiet[rule.Alert] {
				t.Errorf("%s: promtool sees it fire: %t, and be quiet: %t", rule.Alert, fires[rule.Alert], quiet[rule.Alert])
			}
		}
	}
	if len(alerts) == 0 {
		t.Error("there are no alerts")
	}
	drilled, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range alerts {
		if !strings.Contains(string(drilled), "`"+alert+"`") {
			t.Errorf("docs/alerts.md tells neither how %s was drilled nor why not", alert)
		}
	}
	books, err := os.ReadDir(runbooks)
	if err != nil {
		t.Fatal(err)
	}
	for _, book := range books {
		if name := strings.TrimSuffix(book.Name(), ".md"); !slices.Contains(alerts, name) {
			t.Errorf("docs/runbooks/%s is of no alert", book.Name())
		}
	}
}

func ruleFiles(t *testing.T, chart string) []string { return glob(t, filepath.Join(chart, "rules")) }

func ruleTests(t *testing.T, chart string) []string {
	return glob(t, filepath.Join(chart, "tests", "rules"))
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no files, %v", dir, err)
	}
	return paths
}

// TestGenerated holds deploy/chart/rules/slo.yaml to deploy/observability/slo.yaml.
func TestGenerated(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadFile(output); err != nil || string(have) != string(want) {
		t.Errorf("%s is not what make generate writes, %v", output, err)
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
