package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecorded plays the recording of bourse with nothing broken to the rules, which must be
// quiet, and to an alert that is not: then the case must tell.
func TestRecorded(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool: make test-chart installs it")
	}
	text, err := os.ReadFile(filepath.Join(chartDir, "tests/rules/recorded_test.yaml"))
	if err != nil {
		t.Fatalf("make drill-alerts records it: %v", err)
	}
	rules, err := filepath.Abs(filepath.Join(chartDir, "rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, alert string
		quiet       bool
	}{
		{"the rules alone", "bourse_store_up == 0", true},
		{"an alert that fires always", "bourse_store_up == 1", false},
		{"one that fires for a moment", "bourse_store_up == 1 and on() vector(time()) < 60", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			more := "groups: [{name: more, rules: [{alert: More, expr: '" + c.alert + "'}]}]\n"
			played := strings.Replace(strings.ReplaceAll(string(text), "../../rules", rules), "rule_files: [", "rule_files: [more.yaml, ", 1)
			for name, text := range map[string]string{"more.yaml": more, "test.yaml": played} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", filepath.Join(dir, "test.yaml")).CombinedOutput()
			if quiet := err == nil; quiet != c.quiet || !quiet && !strings.Contains(string(out), `alertname="More"`) {
				t.Errorf("quiet: %t\n%s", quiet, out)
			}
		})
	}
}
