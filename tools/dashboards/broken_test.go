package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestBrokenQueries sees each mistake in a query noticed.
func TestBrokenQueries(t *testing.T) {
	metrics := known(t)
	for _, c := range []struct{ name, expr, want string }{
		{"not PromQL", `sum by (code (bourse_streams)`, "parse error"},
		{"a misspelt metric", `sum(bourse_stream)`, `no metric "bourse_stream"`},
		{"a metric without a name", `{part="web"}`, `no metric ""`},
		{"a histogram as it is", `sum(bourse_ingest_run_duration_seconds)`, "no metric"},
		{"a label that is not there", `sum(bourse_streams{part="web"})`, `no label "part"`},
		{"kept, and not there", `sum by (route) (bourse_streams)`, `no label "route" to keep`},
		{"lost on the way", `sum by (source) (max by (outcome) (bourse_source_last_run_outcome))`, `no label "source" to keep`},
		{"matched on what one side lost", `sum by (part) (bourse_http_requests_in_flight) / on (instance) sum by (part) (bourse_http_requests_in_flight)`, "to match on"},
		{"sides that never match", `sum by (part) (bourse_http_requests_in_flight) / sum(bourse_http_requests_in_flight)`, "never match"},
		{"taken from where it is not", `kube_pod_info * on (node) group_left (zone) kube_node_info`, `no label "zone" to take`},
		{"replaced from nothing", `label_replace(bourse_streams, "x", "$1", "route", "(.+)")`, `no label "route" to replace`},
		{"a rate of a gauge", `sum(rate(bourse_streams[$__rate_interval]))`, "is a gauge"},
		{"an increase of a gauge, by its way", `sum(increase(kube_deployment_spec_replicas[$__rate_interval]))`, "is a gauge"},
		{"a counter without a rate", `sum by (source) (bourse_ingest_runs_total)`, "take its rate"},
		{"a histogram without a rate", `histogram_quantile(0.99, sum by (le) (bourse_http_request_duration_seconds_bucket))`, "take its rate"},
		{"a count without a rate", `sum(bourse_http_request_duration_seconds_count)`, "take its rate"},
		{"a quantile without le", `histogram_quantile(0.99, sum by (part) (rate(bourse_http_request_duration_seconds_bucket[$__rate_interval])))`, "needs the label le"},
		{"buckets without a quantile", `sum by (le) (rate(bourse_http_request_duration_seconds_bucket[$__rate_interval]))`, "take a quantile"},
	} {
		_, wrong := follow(metrics, c.expr, false)
		if !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("%s: %s is found to be %q, want %q", c.name, c.expr, wrong, c.want)
		}
	}
}

// TestBrokenDashboards sees each mistake in a dashboard noticed, one at a time.
func TestBrokenDashboards(t *testing.T) {
	metrics := known(t)
	panel := func(b *dashboard.Dashboard) *dashboard.Panel { return b.Panels[0].Panel }
	for _, c := range []struct {
		name, want string
		change     func(b *dashboard.Dashboard)
	}{
		{"nothing", "", func(*dashboard.Dashboard) {}},
		{"no unit", "has no unit", func(b *dashboard.Dashboard) { panel(b).FieldConfig.Defaults.Unit = nil }},
		{"a unit of Grafana that is none", "has no unit", func(b *dashboard.Dashboard) { panel(b).FieldConfig.Defaults.Unit = cog.ToPtr("sec") }},
		{"no description", "does not say", func(b *dashboard.Dashboard) { panel(b).Description = nil }},
		{"no query", "has no query", func(b *dashboard.Dashboard) { panel(b).Targets = nil }},
		{"another datasource", "another datasource", func(b *dashboard.Dashboard) { panel(b).Datasource.Uid = cog.ToPtr("prometheus") }},
		{"wider than the page", "wider than", func(b *dashboard.Dashboard) { panel(b).GridPos.W = 25 }},
		{"one panel on another", "lies on", func(b *dashboard.Dashboard) { b.Panels[1].Panel.GridPos.X = 0 }},
		{"a variable without its metric", "there is no", func(b *dashboard.Dashboard) {
			b.Templating.List[1].Query.String = cog.ToPtr("label_values(bourse_info, namespace)")
		}},
		{"a variable without its label", "there is no", func(b *dashboard.Dashboard) {
			b.Templating.List[1].Query.String = cog.ToPtr("label_values(bourse_build_info, source)")
		}},
		{"a variable that nothing asks for", "nothing asks", func(b *dashboard.Dashboard) { b.Templating.List[1].Name = "space" }},
		{"a variable that is not there", "no variable namespace", func(b *dashboard.Dashboard) { b.Templating.List[1].Name = "space" }},
		{"a mark whose text names nothing", "names the label", func(b *dashboard.Dashboard) { b.Annotations.List[0].TextFormat = cog.ToPtr("{{pod}}") }},
		{"a mark with a wrong query", "no metric", func(b *dashboard.Dashboard) { b.Annotations.List[0].Expr = cog.ToPtr("bourse_info") }},
		{"a mark whose time is a flag", "milliseconds", func(b *dashboard.Dashboard) { b.Annotations.List[0].UseValueForTime = cog.ToPtr(true) }},
	} {
		b, err := board("test", "test", "A dashboard of two panels.").
			WithPanel(graph("one", "What there is is drawn here.", "none", query{expr: `sum by (part) (bourse_http_requests_in_flight{namespace=~"$namespace"})`, legend: "{{part}}"})).
			WithPanel(graph("two", "What there is is drawn here.", "none", query{expr: `sum(bourse_streams)`, legend: "streams"})).
			Build()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(b)
		var again dashboard.Dashboard
		if err == nil {
			err = json.Unmarshal(text, &again)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.change(&again)
		wrong := check(metrics, again)
		if found := slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, c.want) }); found != (c.want != "") || c.want == "" && len(wrong) > 0 {
			t.Errorf("%s: found %q, want %q", c.name, wrong, c.want)
		}
	}
}

// TestBrokenLegends sees legends noticed that name what is not there, or do not tell series apart, and windows that stay.
func TestBrokenLegends(t *testing.T) {
	for _, c := range []struct{ name, expr, legend, want string }{
		{"a label that is not there", `sum by (part) (bourse_http_requests_in_flight)`, "{{route}}", `names the label "route"`},
		{"series of one name", `sum by (part) (bourse_http_requests_in_flight)`, "in flight", `differ in "part"`},
		{"none", `sum(bourse_streams)`, "", "no legend"},
		{"a window that stays", `sum(rate(bourse_ingest_runs_total[5m]))`, "runs", "too short or too long"},
	} {
		built, err := graph("one", "What there is is drawn here.", "none", query{expr: c.expr, legend: c.legend}).Build()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(built)
		var p dashboard.Panel
		if err == nil {
			err = json.Unmarshal(text, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		wrong := checkPanel(known(t), p)
		if !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("%s: found %q, want %q", c.name, wrong, c.want)
		}
	}
}
