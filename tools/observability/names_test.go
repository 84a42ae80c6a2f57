package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// registered are metrics that others have: Prometheus itself, its library for processes,
// and kube-state-metrics, under their documented names.
var registered = []string{
	"up",
	"process_start_time_seconds",
	"kube_deployment_spec_replicas",
	"kube_deployment_status_replicas_available",
	"kube_horizontalpodautoscaler_spec_max_replicas",
	"kube_horizontalpodautoscaler_status_current_replicas",
	"kube_pod_completion_time",
	"kube_pod_container_info",
	"kube_pod_container_status_last_terminated_reason",
	"kube_pod_container_status_last_terminated_timestamp",
	"kube_pod_container_status_restarts_total",
	"kube_pod_container_status_terminated_reason",
	"kube_pod_container_status_waiting_reason",
}

var (
	metricRow  = regexp.MustCompile("(?m)^\\| `(bourse_[a-z0-9_]+)` \\| (\\w+) \\|")
	quoted     = regexp.MustCompile(`"[^"]*"`)
	identifier = regexp.MustCompile(`\b(?:(?:bourse|kube|process|go|promhttp)_\w+|[a-z_]+:[a-z_]+:\w+|[a-z_]+(?:\{|\[))`)
)

// TestNames holds every metric that a rule reads to those that the code registers, which
// docs/telemetry.md lists, to what rules record, and to the few of others: a rule of a
// metric that does not exist never fires.
func TestNames(t *testing.T) {
	doc, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Clone(registered)
	for _, m := range metricRow.FindAllStringSubmatch(string(doc), -1) {
		known = append(known, m[1])
		if m[2] == "histogram" {
			known = append(known, m[1]+"_bucket", m[1]+"_count", m[1]+"_sum")
		}
	}
	if len(known) == len(registered) {
		t.Fatal("docs/telemetry.md has no table of metrics")
	}
	var rules []rule
	for _, path := range ruleFiles(t, chartDir) {
		rules = append(rules, rulesOf(t, path)...)
	}
	for _, rule := range rules {
		known = append(known, rule.Record)
	}
	read := map[string]bool{}
	for _, rule := range rules {
		for _, name := range identifier.FindAllString(quoted.ReplaceAllString(rule.Expr, `""`), -1) {
			name = strings.TrimRight(name, "{[")
			read[name] = true
			if !slices.Contains(known, name) {
				t.Errorf("%s%s reads %s, which nothing registers", rule.Record, rule.Alert, name)
			}
		}
	}
	for _, name := range registered {
		if !read[name] {
			t.Errorf("no rule reads %s any more", name)
		}
	}
}

var alarmOf = regexp.MustCompile(`(?m)^\s+(\w+) = \{ expression .*overdue_minutes = (\d+)`)

// TestAlarmsAgree holds what is late here to what is late in the alarms on AWS.
func TestAlarmsAgree(t *testing.T) {
	text, err := os.ReadFile(input)
	if err != nil {
		t.Fatal(err)
	}
	list, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]string{}
	for _, o := range list.SLOs {
		if o.Source != "" {
			here[o.Source] = strconv.Itoa(int(o.Late.Minutes()))
		}
	}
	terraform, err := os.ReadFile("../../deploy/terraform/envs/prod/environment.tf")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]string{}
	for _, m := range alarmOf.FindAllStringSubmatch(string(terraform), -1) {
		there[m[1]] = m[2]
	}
	if !maps.Equal(here, there) {
		t.Errorf("late are, in minutes, %v here and %v on AWS", here, there)
	}
}
