package chart

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestAlerts sees to it that whoever is alerted is told how bad it is and what to do, and
// that promtool is to see each alert both fire and not fire.
func TestAlerts(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, path := range ruleTests(t, chartDir) {
		var tests struct {
			Tests []struct {
				Cases []struct {
					Alert  string `json:"alertname"`
					Firing []any  `json:"exp_alerts"`
				} `json:"alert_rule_test"`
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
	alerts := 0
	for _, path := range ruleFiles(t, chartDir) {
		var rules struct {
			Groups []struct {
				Rules []struct {
					Alert               string
					Labels, Annotations map[string]string
				}
			}
		}
		readYAML(t, path, &rules)
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				if rule.Alert == "" {
					continue // it records
				}
				alerts++
				if s := rule.Labels["severity"]; s != "warning" && s != "critical" {
					t.Errorf("%s has the severity %q", rule.Alert, s)
				}
				if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
					t.Errorf("%s does not say what is wrong", rule.Alert)
				}
				runbook := "docs/runbooks/" + rule.Alert + ".md"
				text, err := os.ReadFile(filepath.Join("../..", runbook))
				if rule.Annotations["runbook"] != runbook || err != nil || !strings.HasPrefix(string(text), "# "+rule.Alert+"\n") {
					t.Errorf("%s has the runbook %q, want %s with its name at the top (%v)", rule.Alert, rule.Annotations["runbook"], runbook, err)
				}
				if !fires[rule.Alert] || !quiet[rule.Alert] {
					t.Errorf("%s: promtool sees it fire: %t, and be quiet: %t", rule.Alert, fires[rule.Alert], quiet[rule.Alert])
				}
			}
		}
	}
	if alerts == 0 {
		t.Error("there are no alerts")
	}
}

// sameRules are changes without any difference in what alerts, each with its reason.
var sameRules = map[string]string{
	"last_over_time(kube_pod_container_status_restarts_total[180s])": "a pod that is gone is not present after two minutes",
}

// TestRules runs promtool's tests of the rules as they are, and with each of the rules'
// numbers and matchers changed, one at a time: what no case notices holds nothing.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool: make test-chart installs it")
	}
	dir := filepath.Join(t.TempDir(), "bourse")
	if err := os.CopyFS(dir, os.DirFS(chartDir)); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput()
		return string(out), err
	}
	test := append([]string{"test", "rules"}, ruleTests(t, dir)...)
	if out, err := run(append([]string{"check", "rules"}, ruleFiles(t, dir)...)...); err != nil {
		t.Fatal(out)
	}
	if out, err := run(test...); err != nil {
		t.Fatal(out)
	}
	if testing.Short() {
		t.Skip("-short is set: changing each number and matcher takes a while")
	}
	mutants := 0
	for _, path := range ruleFiles(t, dir) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(path) == "targets.yaml" {
			continue // it only records, for a dashboard and an autoscaler
		}
		for _, at := range ruleParts.FindAllIndex(text, -1) {
			for _, other := range otherParts(string(text[at[0]:at[1]])) {
				mutants++
				mutant := string(text[:at[0]]) + other + string(text[at[1]:])
				if err := os.WriteFile(path, []byte(mutant), 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := run(test...)
				same := slices.ContainsFunc(slices.Collect(maps.Keys(sameRules)), func(part string) bool { return strings.Contains(mutant, part) })
				if (err == nil) != same {
					t.Errorf("%s, line %d: %q for %s makes a difference: %t", filepath.Base(path), 1+strings.Count(string(text[:at[0]]), "\n"), other, text[at[0]:at[1]], err != nil)
				}
			}
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d changes of the rules", mutants)
}

// ruleParts are the durations, thresholds and matchers of expressions.
var ruleParts = regexp.MustCompile(`\[\d+[mh]\]|(?:==|>=?|<) \d+|\{\w+=~?"[^"]*"\}`)

// otherParts returns what to put in the place of a part: a half more and a half less of a
// number, and nothing for a matcher.
func otherParts(part string) []string {
	if part[0] == '{' {
		return []string{""}
	}
	unit := map[byte]int{'m': 60, 'h': 3600}
	digits := strings.Trim(part, "[]mh=<> ")
	n, _ := strconv.Atoi(digits)
	if part[0] == '[' {
		n *= unit[part[len(part)-2]]
		return []string{"[" + strconv.Itoa(n*3/2) + "s]", "[" + strconv.Itoa(n/2) + "s]"}
	}
	operator := strings.TrimSuffix(part, digits)
	return []string{operator + strconv.Itoa(n*3/2+1), operator + strconv.Itoa(n/2-1)}
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
