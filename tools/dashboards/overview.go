package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// The event stream ends when its reader leaves: that is no latency.
const answered = `namespace=~"$namespace", route!="GET /api/v1/stream"`

// overview is what to look at first: whether promises are kept, and if not, since when and what happened then.
func overview(all []objective) *dashboard.DashboardBuilder {
	b := board("overview", "overview", "Whether bourse keeps its promises: it answers, soon, with data that are not late.")
	return promises(b, all).
		WithRow(dashboard.NewRowBuilder("Readers")).
		WithPanel(limit(graph("Requests that fail", "Share of requests that get a 5xx, by part. What web passes on counts in both.", "percentunit", query{
			expr: `(sum by (part) (rate(bourse_http_request_duration_seconds_count{namespace=~"$namespace", code=~"5.."}[$__rate_interval]))
or 0 * sum by (part) (rate(bourse_http_request_duration_seconds_count{namespace=~"$namespace"}[$__rate_interval])))
/ sum by (part) (rate(bourse_http_request_duration_seconds_count{namespace=~"$namespace"}[$__rate_interval]))`, legend: "{{part}}",
		}), 0.01)).
		WithPanel(limit(graph("Time to answer", "Half of the requests are faster than p50, 99 % than p99. Event streams are left out.", "s",
			query{expr: `histogram_quantile(0.5, sum by (le, part) (rate(bourse_http_request_duration_seconds_bucket{` + answered + `}[$__rate_interval])))`, legend: "{{part}} p50"},
			query{expr: `histogram_quantile(0.99, sum by (le, part) (rate(bourse_http_request_duration_seconds_bucket{` + answered + `}[$__rate_interval])))`, legend: "{{part}} p99", exemplars: true},
		), 1)).
		WithPanel(stacked("Answers", "Requests a second by the first digit of their code. Many 4xx are a client that asks for what is not there or too much.", "reqps", query{
			expr:   `sum by (class) (label_replace(rate(bourse_http_request_duration_seconds_count{namespace=~"$namespace", part="web"}[$__rate_interval]), "class", "${1}xx", "code", "(.).."))`,
			legend: "{{class}}",
		})).
		WithPanel(graph("Processes that answer Prometheus", "Share of the pods of api and of web that Prometheus reaches. On a laptop there are no pods and this is empty.", "percentunit", query{
			expr: `min by (namespace, job) (job:bourse_up:ratio{namespace=~"$namespace"})`, legend: "{{job}}",
		}).Max(1)).
		WithRow(dashboard.NewRowBuilder("Data")).
		WithPanel(graph("Overdue", "How long the oldest bar that each source's calendar expects has been missing. A publication that is waited for shows as a short slope; one that goes on is late.", "s", query{
			expr: `max by (source) (bourse_source_overdue_seconds{namespace=~"$namespace"})`, legend: "{{source}}",
		})).
		WithPanel(states("Last runs", "How the last run of each source ended. All but ok and interrupted want a look when they stay.", query{
			expr: `max by (source, outcome) (bourse_source_last_run_outcome{namespace=~"$namespace"})`, legend: "{{source}}: {{outcome}}",
		})).
		WithRow(dashboard.NewRowBuilder("Releases and alerts")).
		WithPanel(stacked("Versions", "Processes that run each version. Two for longer than a rollout takes: the rollout is stuck.", "none", query{
			expr: `count by (version, revision) (bourse_build_info{namespace=~"$namespace"})`, legend: "{{version}} ({{revision}})",
		}).Decimals(0)).
		WithPanel(states("Alerts", "Alerts of bourse while they fire. Each has a runbook of its name in docs/runbooks.", query{
			expr: `max by (alertname, source, severity) (ALERTS{alertname=~"Bourse.+", alertstate="firing", namespace=~"$namespace|"})`, legend: "{{alertname}} {{source}} ({{severity}})",
		}))
}
