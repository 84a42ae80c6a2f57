package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const of = `{namespace=~"$namespace", source=~"$source"}`

// rare is the least step of graphs of what happens a few times an hour: within less there would be nothing most of the time.
const rare = "15m"

// sources is about data: how fresh, how much, and what the upstreams do. What is read from the store is true wherever a run
// ran; metrics of runs and upstreams are those of processes that Prometheus reaches while they live, which jobs and functions
// are not: there a run shows by what it left in the store.
func sources() *dashboard.DashboardBuilder {
	b := board("sources", "sources", "How fresh the data of each source are, how its runs end, and what its upstream does.").
		WithVariable(variable("source", "bourse_source_newest_bar_timestamp_seconds"))
	return upstreams(runs(fresh(b)))
}

// read is the newest reading of what the store says of each source. All replicas say the same.
func read(metric string) string { return `max by (source) (` + metric + of + `)` }

func fresh(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	return b.WithPanel(rows("Sources", "What the store says of each source. Overdue is freshness: an old bar on a Sunday is not.", "source",
		column{"overdue", "s", read("bourse_source_overdue_seconds")},
		column{"newest bar", "dateTimeAsIso", `1000 * ` + read("bourse_source_newest_bar_timestamp_seconds")},
		column{"last success", "dateTimeFromNow", `1000 * ` + read("bourse_source_last_success_timestamp_seconds")},
		column{"next run", "dateTimeFromNow", `1000 * ` + read("bourse_source_next_run_timestamp_seconds")},
		column{"lag", "s", read("bourse_source_lag_seconds")},
		column{"quota left", "none", read("bourse_source_quota_left")},
		column{"instruments", "none", read("bourse_source_instruments")},
		column{"bars", "short", read("bourse_source_bars")},
		column{"revisions", "short", read("bourse_source_revisions")},
		column{"rejected", "short", read("bourse_source_rejected")},
		column{"flagged", "short", read("bourse_source_flagged")},
	)).
		WithRow(dashboard.NewRowBuilder("Freshness")).
		WithPanel(graph("Overdue", "How long the oldest bar that the calendar expects has been missing; 0 where none is.", "s",
			query{expr: read("bourse_source_overdue_seconds"), legend: "{{source}}"})).
		WithPanel(graph("Since the last success", "How long ago the last run that succeeded ended. It grows from run to run, also over a weekend: what is too much depends on the schedule.", "s",
			query{expr: `time() - ` + read("bourse_source_last_success_timestamp_seconds"), legend: "{{source}}"})).
		WithPanel(limit(graph("Run is missing", "How long ago a run was planned that has not come. Minutes are normal where a CronJob starts them, more is a scheduler that stands still.", "s",
			query{expr: `clamp_min(time() - ` + read("bourse_source_next_run_timestamp_seconds") + `, 0)`, legend: "{{source}}"}), 900)).
		WithPanel(graph("Lag", "From publication to arrival of the newest bar.", "s",
			query{expr: read("bourse_source_lag_seconds"), legend: "{{source}}"}))
}

func runs(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	return b.WithRow(dashboard.NewRowBuilder("Runs")).
		WithPanel(states("Last runs", "How the last run ended. needs-person stays until somebody looks.",
			query{expr: `max by (source, outcome) (bourse_source_last_run_outcome` + of + `)`, legend: "{{source}}: {{outcome}}"})).
		WithPanel(colored(stacked("Runs", "Runs that ended, by how the last of them did: of the store, so wherever they ran.", "none", query{
			expr: `max by (source, outcome) (bourse_source_last_run_outcome` + of + `)
* on (source) group_left () max by (source) (changes(bourse_source_last_run_timestamp_seconds` + of + `[$__rate_interval]))`, legend: "{{source}}: {{outcome}}"}).Interval("5m").Decimals(0),
			[2]string{".+: ok", "green"}, [2]string{".+: (retry-after|quota-until|interrupted)", "yellow"}, [2]string{".+: (permanent|needs-person)", "red"})).
		WithPanel(graph("Duration of runs", "Half of the runs of processes that live are faster than p50, 99 % than p99.", "s",
			query{expr: `histogram_quantile(0.5, sum by (le, source) (rate(bourse_ingest_run_duration_seconds_bucket` + of + `[$__rate_interval])))`, legend: "{{source}} p50"},
			query{expr: `histogram_quantile(0.99, sum by (le, source) (rate(bourse_ingest_run_duration_seconds_bucket` + of + `[$__rate_interval])))`, legend: "{{source}} p99"}).Interval(rare)).
		WithPanel(stacked("Bars", "Bars of runs of processes that live, by what became of them, but for those that were there already.", "none",
			query{expr: `sum by (source, result) (increase(bourse_ingest_bars_total{namespace=~"$namespace", source=~"$source", result!="unchanged"}[$__rate_interval]))`, legend: "{{source}} {{result}}"}).Interval(rare).Decimals(0)).
		WithPanel(graph("Bars in the store", "All bars of each source.", "short", query{expr: read("bourse_source_bars"), legend: "{{source}}"})).
		WithPanel(graph("Revisions", "Values that were changed by their source after they were published. A step is a restatement.", "short",
			query{expr: read("bourse_source_revisions"), legend: "{{source}}"})).
		WithPanel(graph("Rejected", "Values in quarantine that nothing has replaced. Look at /api/v1/quarantine for the reasons.", "short",
			query{expr: read("bourse_source_rejected"), legend: "{{source}}"})).
		WithPanel(graph("Flagged", "Values that were loaded although they surprise.", "short", query{expr: read("bourse_source_flagged"), legend: "{{source}}"}))
}

func upstreams(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	return b.WithRow(dashboard.NewRowBuilder("Upstreams")).
		WithPanel(colored(stacked("Answers of upstreams", "Requests a second by what came back. none: no answer at all.", "reqps",
			query{expr: `sum by (source, code) (rate(bourse_upstream_request_duration_seconds_count` + of + `[$__rate_interval]))`, legend: "{{source}} {{code}}"}),
			[2]string{".+ 2xx", "green"}, [2]string{".+ 3xx", "blue"}, [2]string{".+ 4xx", "yellow"}, [2]string{".+ (5xx|none)", "red"})).
		WithPanel(graph("Time to answer of upstreams", "Half of the requests are faster than p50, 99 % than p99.", "s",
			query{expr: `histogram_quantile(0.5, sum by (le, source) (rate(bourse_upstream_request_duration_seconds_bucket` + of + `[$__rate_interval])))`, legend: "{{source}} p50"},
			query{expr: `histogram_quantile(0.99, sum by (le, source) (rate(bourse_upstream_request_duration_seconds_bucket` + of + `[$__rate_interval])))`, legend: "{{source}} p99", exemplars: true})).
		WithPanel(graph("Requests a run", "Requests that a run takes, retries too.", "none",
			query{expr: `sum by (source) (increase(bourse_ingest_requests_total` + of + `[$__range])) / sum by (source) (increase(bourse_ingest_runs_total` + of + `[$__range]))`, legend: "{{source}}"}).Decimals(1)).
		WithPanel(graph("Quota left", "Requests that a source with a quota still allows until it is renewed. 0 stops its runs, as it should.", "none",
			query{expr: read("bourse_source_quota_left"), legend: "{{source}}"}).LineInterpolation(common.LineInterpolationStepAfter)).
		WithPanel(graph("Archived", "Bytes a second that are new to the archive.", "Bps",
			query{expr: `sum by (source) (rate(bourse_archive_written_bytes_total` + of + `[$__rate_interval]))`, legend: "{{source}}"}))
}
