package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	// The containers of bourse's images: names as "api" are everybody's.
	container = ` and on (namespace, pod, container) namespace_pod_container:bourse_container:present{namespace=~"$namespace"}`

	// Of pods that have no component for a label in kube-state-metrics, the name says it.
	placed = `max by (namespace, pod, part, node) (label_replace(kube_pod_info{namespace=~"$namespace", pod=~".+-(api|web)-[^-]+-[^-]+", node!=""}, "part", "$1", "pod", ".+-(api|web)-[^-]+-[^-]+"))`
)

// cluster is what Kubernetes does with bourse: by kube-state-metrics and cAdvisor, and so empty on a laptop.
func cluster() *dashboard.DashboardBuilder {
	b := board("cluster", "cluster", "Pods, what they may use and do use, the autoscaler and where pods are. Needs kube-state-metrics and cAdvisor.")
	return resources(placement(pods(b)))
}

func pods(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	const named = `{namespace=~"$namespace", deployment=~".+-(api|web)"}`
	const scaled = `{namespace=~"$namespace", horizontalpodautoscaler=~".+-(api|web)"}`
	scale := func(metric string) string {
		return `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_` + metric + scaled + `)`
	}
	return b.WithRow(dashboard.NewRowBuilder("Pods")).
		WithPanel(graph("Pods", "Pods that should be there, and those of them that are ready.", "none",
			query{expr: `max by (namespace, deployment) (kube_deployment_spec_replicas` + named + `)`, legend: "{{deployment}} wanted"},
			query{expr: `max by (namespace, deployment) (kube_deployment_status_replicas_ready` + named + `)`, legend: "{{deployment}} ready"},
		).Decimals(0).LineInterpolation(common.LineInterpolationStepAfter)).
		WithPanel(graph("Autoscaler", "What the autoscaler wants and what there is, between its least and its most. At its most it can't help any more.", "none",
			query{expr: scale("spec_min_replicas"), legend: "{{horizontalpodautoscaler}} least"},
			query{expr: scale("status_current_replicas"), legend: "{{horizontalpodautoscaler}} now"},
			query{expr: scale("status_desired_replicas"), legend: "{{horizontalpodautoscaler}} desired"},
			query{expr: scale("spec_max_replicas"), legend: "{{horizontalpodautoscaler}} most"},
		).Decimals(0).LineInterpolation(common.LineInterpolationStepAfter)).
		WithPanel(limit(graph("What the autoscaler sees", "Its metrics as shares of what it aims at. Over 1 it adds pods, under 0.9 it takes some away after five minutes.", "percentunit", query{
			expr: `max by (namespace, horizontalpodautoscaler, metric_name) (kube_horizontalpodautoscaler_status_target_metric{namespace=~"$namespace", horizontalpodautoscaler=~".+-(api|web)"})
/ max by (namespace, horizontalpodautoscaler, metric_name) (kube_horizontalpodautoscaler_spec_target_metric{namespace=~"$namespace", horizontalpodautoscaler=~".+-(api|web)"})`,
			legend: "{{horizontalpodautoscaler}} {{metric_name}}"}), 1)).
		WithPanel(stacked("Restarts", "Containers that were started again.", "none", query{
			expr:   `sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total{namespace=~"$namespace"}[$__rate_interval])` + container + `) > 0`,
			legend: "{{pod}} {{container}}"}).Decimals(0)).
		WithPanel(states("Containers that wait", "Why containers are not running: CrashLoopBackOff, ImagePullBackOff, ContainerCreating.", query{
			expr:   `max by (namespace, pod, container, reason) (kube_pod_container_status_waiting_reason{namespace=~"$namespace"}` + container + `) == 1`,
			legend: "{{pod}} {{container}}: {{reason}}"})).
		WithPanel(states("Pods that do not run", "Pods that wait for a node, have failed, or whose node is silent.", query{
			expr:   `max by (namespace, pod, phase) (kube_pod_status_phase{namespace=~"$namespace", phase=~"Pending|Failed|Unknown", pod=~".+-(api|web|ingest|migrate)-.+"}) == 1`,
			legend: "{{pod}}: {{phase}}"})).
		WithPanel(graph("Since a job of a source succeeded", "How long ago each CronJob's last job that succeeded ended.", "s", query{
			expr: `time() - max by (namespace, cronjob) (kube_cronjob_status_last_successful_time{namespace=~"$namespace", cronjob=~".+-ingest-.+"})`, legend: "{{cronjob}}"})).
		WithPanel(states("Jobs that failed", "Jobs of ingest and migrate that gave up, while they are kept.", query{
			expr: `max by (namespace, job_name, reason) (kube_job_status_failed{namespace=~"$namespace", job_name=~".+-(ingest|migrate).*"}) > 0`, legend: "{{job_name}} {{reason}}"}))
}

func placement(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	const budget = `{namespace=~"$namespace", poddisruptionbudget=~".+-(api|web)"}`
	guard := func(metric string) string {
		return `max by (namespace, poddisruptionbudget) (kube_poddisruptionbudget_status_` + metric + budget + `)`
	}
	return b.WithRow(dashboard.NewRowBuilder("Where pods are")).
		WithPanel(graph("Pods in each zone", "They should differ by one at most. The zone is that of the node's provider id, as AWS has it; elsewhere it is empty.", "none", query{
			expr: `sum by (part, zone) (` + placed + ` * on (node) group_left (zone) max by (node, zone) (label_replace(kube_node_info, "zone", "$1", "provider_id", "aws:///([^/]+)/.+")))`, legend: "{{part}} {{zone}}",
		}).Decimals(0)).
		WithPanel(graph("Pods on each node", "Many on one node are lost together.", "none", query{
			expr: `count by (part, node) (` + placed + `)`, legend: "{{part}} {{node}}",
		}).Decimals(0)).
		WithPanel(graph("Disruption budgets", "Pods that may be evicted now. 0 for long stops every drain of a node.", "none",
			query{expr: guard("pod_disruptions_allowed"), legend: "{{poddisruptionbudget}} may go"},
			query{expr: guard("current_healthy") + ` - ` + guard("desired_healthy"), legend: "{{poddisruptionbudget}} healthy over needed"},
		).Decimals(0).LineInterpolation(common.LineInterpolationStepAfter)).
		WithPanel(graph("Nodes", "Nodes that are ready, and those under pressure, which evict pods.", "none",
			query{expr: `sum(max by (node) (kube_node_status_condition{condition="Ready", status="true"}))`, legend: "ready"},
			query{expr: `sum by (condition) (max by (node, condition) (kube_node_status_condition{condition=~".+Pressure", status="true"}))`, legend: "{{condition}}"},
		).Decimals(0))
}

func resources(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	const each = `{namespace=~"$namespace", container!=""}`
	used := func(kind string) string { // by each container, of what it asked for or may have
		return `max by (namespace, pod, container) (kube_pod_container_resource_` + kind
	}
	cpu := `sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total` + each + `[$__rate_interval])` + container + `)`
	memory := `max by (namespace, pod, container) (container_memory_working_set_bytes` + each + container + `)`
	named := func(expr string) query { return query{expr: expr, legend: "{{pod}} {{container}}"} }
	return b.WithRow(dashboard.NewRowBuilder("Resources")).
		WithPanel(graph("CPU", "Cores that each container uses.", "none", named(cpu)).Decimals(2)).
		WithPanel(limit(graph("CPU of requests", "Share of the cores that each container asked for, which is what the autoscaler aims at. Over 1 it lives on what others leave.", "percentunit",
			named(cpu+` / `+used(`requests{namespace=~"$namespace", resource="cpu"})`))), 1)).
		WithPanel(limit(graph("CPU of limits", "Share of the cores that each container may use.", "percentunit",
			named(cpu+` / `+used(`limits{namespace=~"$namespace", resource="cpu"})`))), 0.9)).
		WithPanel(limit(graph("Throttled", "Share of the CPU periods in which a container had used up its limit, and stood still.", "percentunit",
			named(`sum by (namespace, pod, container) (rate(container_cpu_cfs_throttled_periods_total`+each+`[$__rate_interval])`+container+`)
/ sum by (namespace, pod, container) (rate(container_cpu_cfs_periods_total`+each+`[$__rate_interval]))`)), 0.25)).
		WithPanel(graph("Memory", "Memory that each container can't give back. Requests are limits: the chart has them equal.", "bytes", named(memory))).
		WithPanel(limit(graph("Memory of limits", "Share of the memory that each container may have. At 1 the kernel kills it.", "percentunit",
			named(memory+` / `+used(`limits{namespace=~"$namespace", resource="memory"})`))), 0.9))
}
