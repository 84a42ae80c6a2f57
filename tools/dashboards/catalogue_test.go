package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// metric is what is known of a metric: counter, gauge, histogram, summary, and bucket for what a histogram is made of.
type metric struct {
	kind   string
	labels labelSet
}

type catalogue map[string]metric

// series returns what is known of a name in a query, which may be a part of a histogram or a summary.
func (c catalogue) series(name string) (metric, bool) {
	if m, ok := c[name]; ok && m.kind != "histogram" {
		if m.kind == "summary" {
			return metric{"gauge", union(m.labels, []string{"quantile"})}, true
		}
		return m, true
	}
	for suffix, kind := range map[string]string{"_bucket": "bucket", "_sum": "counter", "_count": "counter"} {
		base, ok := strings.CutSuffix(name, suffix)
		m, known := c[base]
		switch {
		case !ok || !known:
		case m.kind == "histogram" && kind == "bucket":
			return metric{kind, union(m.labels, []string{"le"})}, true
		case m.kind == "histogram", m.kind == "summary" && kind == "counter":
			return metric{kind, m.labels}, true
		}
	}
	return metric{}, false
}

// Labels that Prometheus gives to what it reads. A laptop's has but the first two.
var targetLabels = []string{"job", "instance", "namespace", "pod", "container", "service", "endpoint", "app_kubernetes_io_component"}

// Metrics of others, as their documents have them: kube-state-metrics (scraped with honorLabels, so that namespace, pod and
// container are those it speaks of), cAdvisor, and Prometheus itself.
const others = `
gauge up job instance namespace pod container service endpoint app_kubernetes_io_component
gauge kube_deployment_spec_replicas namespace deployment
gauge kube_deployment_status_replicas_ready namespace deployment
gauge kube_replicaset_created namespace replicaset
gauge kube_horizontalpodautoscaler_spec_min_replicas namespace horizontalpodautoscaler
gauge kube_horizontalpodautoscaler_spec_max_replicas namespace horizontalpodautoscaler
gauge kube_horizontalpodautoscaler_status_current_replicas namespace horizontalpodautoscaler
gauge kube_horizontalpodautoscaler_status_desired_replicas namespace horizontalpodautoscaler
gauge kube_horizontalpodautoscaler_spec_target_metric namespace horizontalpodautoscaler metric_name metric_target_type
gauge kube_horizontalpodautoscaler_status_target_metric namespace horizontalpodautoscaler metric_name metric_target_type
gauge kube_poddisruptionbudget_status_pod_disruptions_allowed namespace poddisruptionbudget
gauge kube_poddisruptionbudget_status_current_healthy namespace poddisruptionbudget
gauge kube_poddisruptionbudget_status_desired_healthy namespace poddisruptionbudget
gauge kube_cronjob_status_last_successful_time namespace cronjob
gauge kube_job_status_failed namespace job_name reason
gauge kube_node_info node kernel_version os_image container_runtime_version kubelet_version provider_id pod_cidr system_uuid internal_ip
gauge kube_node_status_condition node condition status
gauge kube_pod_info namespace pod uid node host_ip pod_ip created_by_kind created_by_name priority_class host_network
gauge kube_pod_status_phase namespace pod uid phase
gauge kube_pod_status_reason namespace pod uid reason
gauge kube_pod_completion_time namespace pod uid
gauge kube_pod_container_info namespace pod uid container image image_spec image_id container_id
gauge kube_pod_container_resource_requests namespace pod uid container node resource unit
gauge kube_pod_container_resource_limits namespace pod uid container node resource unit
counter kube_pod_container_status_restarts_total namespace pod uid container
gauge kube_pod_container_status_waiting_reason namespace pod uid container reason
gauge kube_pod_container_status_terminated_reason namespace pod uid container reason
gauge kube_pod_container_status_last_terminated_reason namespace pod uid container reason
gauge kube_pod_container_status_last_terminated_timestamp namespace pod uid container
counter container_cpu_usage_seconds_total namespace pod container node id image name cpu
counter container_cpu_cfs_periods_total namespace pod container node id image name
counter container_cpu_cfs_throttled_periods_total namespace pod container node id image name
gauge container_memory_working_set_bytes namespace pod container node id image name
`

// known returns all metrics that may be named: those of others, ours, and those that the chart's rules record.
func known(t *testing.T) catalogue {
	t.Helper()
	c := catalogue{}
	for line := range strings.Lines(others) {
		if words := strings.Fields(line); len(words) > 0 {
			c[words[1]] = metric{words[0], setOf(words[2:]...)}
		}
	}
	for name, m := range registered(t) {
		c[name] = metric{m.kind, union(m.labels, targetLabels)}
	}
	record(t, c)
	return c
}

// record adds what the rules of the chart record, and the series of their alerts.
func record(t *testing.T, c catalogue) {
	t.Helper()
	paths, err := filepath.Glob("../../deploy/chart/rules/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no rules", err)
	}
	alerts := setOf("alertname", "alertstate")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		var rules struct {
			Groups []struct {
				Rules []struct {
					Record, Alert, Expr string
					Labels              map[string]string
				}
			}
		}
		if err == nil {
			err = yaml.Unmarshal(text, &rules)
		}
		if err != nil {
			t.Fatal(path, err)
		}
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				result, _ := follow(c, rule.Expr, false) // whether it is right is for the tests of the rules
				result = maps.Clone(result)
				for l := range rule.Labels {
					result[l] = true
				}
				if rule.Record != "" {
					maps.Copy(result, c[rule.Record].labels) // several rules may record under one name
					c[rule.Record] = metric{"gauge", result}
				} else {
					maps.Copy(alerts, result)
				}
			}
		}
	}
	c["ALERTS"] = metric{"gauge", alerts}
}

// tableRow is one of the metrics of docs/telemetry.md: a test of the programs keeps that page the same as what they register.
var tableRow = regexp.MustCompile("(?m)^\\| `(bourse_\\w+)` \\| (\\w+) \\| ([^|]*) \\|")

// registered is what the programs register.
func registered(t *testing.T) catalogue {
	t.Helper()
	text, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	c := catalogue{}
	for _, m := range tableRow.FindAllStringSubmatch(string(text), -1) {
		c[m[1]] = metric{m[2], setOf(strings.FieldsFunc(m[3], func(r rune) bool { return strings.ContainsRune("`, ", r) })...)}
	}
	if len(c) < 20 {
		t.Fatalf("docs/telemetry.md has %d metrics only", len(c))
	}
	for line := range strings.Lines(runtime) {
		if words := strings.Fields(line); len(words) > 0 {
			c[words[1]] = metric{words[0], labelSet{}}
		}
	}
	return c
}

// runtime are metrics that Prometheus' library has of every program.
const runtime = `
gauge go_goroutines
summary go_gc_duration_seconds
gauge go_memstats_heap_alloc_bytes
counter process_cpu_seconds_total
gauge process_resident_memory_bytes
gauge process_open_fds
gauge process_max_fds
`
