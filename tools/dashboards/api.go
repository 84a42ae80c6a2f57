package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	requests = `bourse_http_request_duration_seconds_count{namespace=~"$namespace", part=~"$part"}`
	slowness = `bourse_http_request_duration_seconds_bucket{` + answered + `, part=~"$part"}`

	// Every program has the metrics of its run time: these are bourse's.
	ours = ` and on (job, instance) bourse_build_info{namespace=~"$namespace"}`
)

// api is about requests, what they wait for, and the processes that answer them.
func api() *dashboard.DashboardBuilder {
	b := board("api", "API and web", "Requests by route, what they wait for, and the processes that answer.").
		WithVariable(variable("part", "bourse_http_request_duration_seconds_count"))
	return processes(waits(routes(b)))
}

// routes is rate, errors and duration of each route.
func routes(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	return b.WithRow(dashboard.NewRowBuilder("Requests")).
		WithPanel(graph("Requests", "Requests a second by route. Those that fit no route are none.", "reqps",
			query{expr: `sum by (part, route) (rate(` + requests + `[$__rate_interval]))`, legend: "{{part}} {{route}}"})).
		WithPanel(colored(stacked("Answers", "Requests a second by code. 499: the client left before the answer.", "reqps",
			query{expr: `sum by (code) (rate(` + requests + `[$__rate_interval]))`, legend: "{{code}}"}),
			[2]string{"2..", "green"}, [2]string{"3..", "blue"}, [2]string{"4..", "yellow"}, [2]string{"5..", "red"})).
		WithPanel(limit(graph("Requests that fail", "Share of each route's requests that get a 5xx.", "percentunit", query{
			expr: `(sum by (part, route) (rate(bourse_http_request_duration_seconds_count{namespace=~"$namespace", part=~"$part", code=~"5.."}[$__rate_interval]))
or 0 * sum by (part, route) (rate(` + requests + `[$__rate_interval])))
/ sum by (part, route) (rate(` + requests + `[$__rate_interval]))`, legend: "{{part}} {{route}}"}), 0.01)).
		WithPanel(limit(graph("Slowest in a hundred, by route", "99 % of a route's requests are faster than this. Event streams are left out.", "s",
			query{expr: `histogram_quantile(0.99, sum by (le, part, route) (rate(` + slowness + `[$__rate_interval])))`, legend: "{{part}} {{route}}"}), 1)).
		WithPanel(heat("Time to answer", "Requests a second by how long they took; points are single requests that have a trace.", "s",
			query{expr: `sum by (le) (rate(` + slowness + `[$__rate_interval]))`, legend: "{{le}}", exemplars: true})).
		WithPanel(graph("Time to answer, all routes", "Half of the requests are faster than p50, 90 % than p90, 99 % than p99.", "s",
			query{expr: `histogram_quantile(0.5, sum by (le) (rate(` + slowness + `[$__rate_interval])))`, legend: "p50"},
			query{expr: `histogram_quantile(0.9, sum by (le) (rate(` + slowness + `[$__rate_interval])))`, legend: "p90"},
			query{expr: `histogram_quantile(0.99, sum by (le) (rate(` + slowness + `[$__rate_interval])))`, legend: "p99", exemplars: true})).
		WithPanel(graph("In flight", "Requests that are being answered. It grows where answers get slower than requests come.", "none",
			query{expr: `sum by (part) (bourse_http_requests_in_flight{namespace=~"$namespace", part=~"$part"})`, legend: "{{part}}"})).
		WithPanel(graph("Event streams", "Readers of /api/v1/stream, by process. They are not among the requests in flight for ever: each is one.", "none",
			query{expr: `sum by (pod, instance) (bourse_streams{namespace=~"$namespace"})`, legend: "{{pod}} {{instance}}"}))
}

// waits is what requests and runs wait for: the store and the archive.
func waits(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	return b.WithRow(dashboard.NewRowBuilder("Store and archive")).
		WithPanel(graph("Operations of the store", "Operations a second.", "ops",
			query{expr: `sum by (operation) (rate(bourse_store_operation_duration_seconds_count{namespace=~"$namespace"}[$__rate_interval]))`, legend: "{{operation}}"})).
		WithPanel(graph("Slowest in a hundred operations of the store", "99 % are faster than this.", "s",
			query{expr: `histogram_quantile(0.99, sum by (le, operation) (rate(bourse_store_operation_duration_seconds_bucket{namespace=~"$namespace"}[$__rate_interval])))`, legend: "{{operation}}", exemplars: true})).
		WithPanel(stacked("Operations that fail", "Operations a second of the store and of the archive that ended in an error. What is not there, or locked by another run, is no error.", "ops",
			query{expr: failing("bourse_store_operation_duration_seconds_count"), legend: "store {{operation}}"},
			query{expr: failing("bourse_archive_operation_duration_seconds_count"), legend: "archive {{operation}}"})).
		WithPanel(graph("Slowest in a hundred operations of the archive", "99 % are faster than this.", "s",
			query{expr: `histogram_quantile(0.99, sum by (le, operation) (rate(bourse_archive_operation_duration_seconds_bucket{namespace=~"$namespace"}[$__rate_interval])))`, legend: "{{operation}}"}))
}

// failing is the rate of a histogram's operations that failed, 0 where none did.
func failing(count string) string {
	return `sum by (operation) (rate(` + count + `{namespace=~"$namespace", result="error"}[$__rate_interval]))
or 0 * sum by (operation) (rate(` + count + `{namespace=~"$namespace"}[$__rate_interval]))`
}

// processes is the Go run time of each process.
func processes(b *dashboard.DashboardBuilder) *dashboard.DashboardBuilder {
	each := func(expr string) query {
		return query{expr: `max by (pod, instance) (` + expr + ours + `)`, legend: "{{pod}} {{instance}}"}
	}
	return b.WithRow(dashboard.NewRowBuilder("Processes")).
		WithPanel(graph("CPU", "Cores that each process uses.", "none",
			each(`rate(process_cpu_seconds_total{namespace=~"$namespace"}[$__rate_interval])`)).Decimals(2)).
		WithPanel(graph("Memory", "Resident memory of each process. What its container may have is on the dashboard of the cluster.", "bytes",
			each(`process_resident_memory_bytes{namespace=~"$namespace"}`))).
		WithPanel(graph("Heap", "Bytes of live and not yet collected objects. A saw is normal; a saw that rises is a leak.", "bytes",
			each(`go_memstats_heap_alloc_bytes{namespace=~"$namespace"}`))).
		WithPanel(graph("Goroutines", "Each request and each event stream has some. A number that only grows is a leak.", "none",
			each(`go_goroutines{namespace=~"$namespace"}`))).
		WithPanel(graph("Longest pause of the garbage collector", "The longest of the last collections that are remembered.", "s",
			each(`go_gc_duration_seconds{namespace=~"$namespace", quantile=~"1|1.0"}`))).
		WithPanel(limit(graph("Open files", "Share of the file descriptors, which connections take too, that the process may have.", "percentunit",
			each(`process_open_fds{namespace=~"$namespace"} / process_max_fds{namespace=~"$namespace"}`)), 0.8))
}
