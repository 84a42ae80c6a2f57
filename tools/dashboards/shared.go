package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// prometheusSource is the Prometheus that the variable datasource names.
var prometheusSource = common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}

// board returns a dashboard without panels.
func board(name, title, means string) *dashboard.DashboardBuilder {
	b := dashboard.NewDashboardBuilder("bourse: "+title).
		Uid("bourse-"+name).Description(means).Tags([]string{"bourse"}).
		Readonly(). // a change here would be lost with the next release
		Timezone("utc").Time("now-6h", "now").Refresh("1m").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("bourse").
			Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{"bourse"}).IncludeVars(true).KeepTime(true)).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Prometheus").Type("prometheus")).
		WithVariable(variable("namespace", "bourse_build_info"))
	for _, m := range marks {
		b.Annotation(m.annotation())
	}
	return b
}

// variable chooses among the values that a label of a metric has. All is anything, also nothing: on a laptop there is no
// label namespace.
func variable(label, metric string) *dashboard.QueryVariableBuilder {
	all := dashboard.StringOrArrayOfString{String: cog.ToPtr("$__all")}
	return dashboard.NewQueryVariableBuilder(label).Label(label).
		Query(dashboard.StringOrMap{String: cog.ToPtr("label_values(" + metric + ", " + label + ")")}).
		Datasource(prometheusSource).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*").
		Current(dashboard.VariableOption{Text: dashboard.StringOrArrayOfString{String: cog.ToPtr("All")}, Value: all})
}

// mark is something that happened, on the time axis of every graph. Grafana draws a line, or a region, where the query has
// values over zero.
type mark struct {
	name, color string
	title, text string // with {{label}}
	expr        string
	atValue     bool // the value is the time, in milliseconds: exact, however coarse the graph is
}

// Windows follow the graph's step: what is shorter than a step must not be missed when a week is looked at.
var marks = []mark{
	{
		name: "Deploys", color: "blue", title: "Deploy", text: "{{version}} ({{revision}})",
		// A revision that runs and did not run a step ago.
		expr: `group by (version, revision) (bourse_build_info{namespace=~"$namespace"})
unless
group by (version, revision) (bourse_build_info{namespace=~"$namespace"} offset $__interval)`,
	},
	{
		name: "Rollouts", color: "light-blue", title: "Rollout", text: "new ReplicaSet {{replicaset}}", atValue: true,
		// A change of settings rolls out too; a rollback takes an old ReplicaSet, and is seen above.
		expr: `1000 * max by (namespace, replicaset) (kube_replicaset_created{namespace=~"$namespace", replicaset=~".+-(api|web)-[a-z0-9]+"})`,
	},
	{
		name: "Autoscaler", color: "purple", title: "Autoscaler", text: "{{horizontalpodautoscaler}}: {{replicas}} replicas desired",
		expr: `count_values by (namespace, horizontalpodautoscaler) ("replicas",
  max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_desired_replicas{namespace=~"$namespace", horizontalpodautoscaler=~".+-(api|web)"})
  and on (namespace, horizontalpodautoscaler)
  changes(kube_horizontalpodautoscaler_status_desired_replicas{namespace=~"$namespace", horizontalpodautoscaler=~".+-(api|web)"}[$__rate_interval]) > 0
)`,
	},
	{
		name: "Out of memory", color: "dark-orange", title: "Out of memory", text: "{{pod}} {{container}}", atValue: true,
		expr: `1000 * max by (namespace, pod, container) (
  kube_pod_container_status_last_terminated_timestamp{namespace=~"$namespace"}
  and on (namespace, pod, container) kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1
  and on (namespace, pod, container) namespace_pod_container:bourse_container:present
)`,
	},
	{
		name: "Evictions", color: "orange", title: "Evicted", text: "{{pod}}",
		// An evicted pod stays listed; what counts is when it became one.
		expr: `max by (namespace, pod) (kube_pod_status_reason{namespace=~"$namespace", reason="Evicted"}) == 1
unless
max by (namespace, pod) (kube_pod_status_reason{namespace=~"$namespace", reason="Evicted"} offset $__interval) == 1`,
	},
	{
		name: "Nodes not ready", color: "yellow", title: "Node is not ready", text: "{{node}}",
		expr: `1 - min by (node) (min_over_time(kube_node_status_condition{condition="Ready", status="true"}[$__rate_interval]))`,
	},
	{
		name: "Alerts", color: "red", title: "{{alertname}}", text: "{{source}} {{severity}}",
		expr: `max by (alertname, source, severity) (max_over_time(ALERTS{alertname=~"Bourse.+", alertstate="firing", namespace=~"$namespace|"}[$__rate_interval]))`,
	},
}

// annotation has the query twice: Grafana 9 to 11 read it from expr, later ones from the target.
func (m mark) annotation() *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().
		Name(m.name).Datasource(prometheusSource).Enable(true).IconColor(m.color).
		Expr(m.expr).TitleFormat(m.title).TextFormat(m.text).UseValueForTime(m.atValue).
		Target(prometheus.NewDataqueryBuilder().RefId("Anno").Expr(m.expr).Range().Datasource(prometheusSource))
}
