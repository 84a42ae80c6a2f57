package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"go.yaml.in/yaml/v3"
)

// objective is one of deploy/observability/slo.yaml, of which the alerts are made too.
type objective struct {
	Name             string
	Objective        float64 // percent
	Source, Late     string  // of data
	Total, Bad, Good string  // of requests
	Description      string
}

// objectives are what readers may expect.
func objectives() ([]objective, error) {
	text, err := os.ReadFile("../../deploy/observability/slo.yaml")
	var file struct{ SLOs []objective }
	if err == nil {
		err = yaml.Unmarshal(text, &file)
	}
	return file.SLOs, err
}

// kept is the share that was good, over the time that is shown: of requests, or of time.
func (o objective) kept() string {
	windowed := strings.NewReplacer("$window", "$__range", "{", `{namespace=~"$namespace", `)
	switch {
	case o.Source != "":
		return `1 - max(avg_over_time(namespace_source:bourse_stale:bool{namespace=~"$namespace", slo="` + o.Name + `"}[$__range]))`
	case o.Good != "":
		return "sum(" + windowed.Replace(o.Good) + ")\n/ sum(" + windowed.Replace(o.Total) + ")"
	}
	return "1 - (sum(" + windowed.Replace(o.Bad) + ") or vector(0))\n/ sum(" + windowed.Replace(o.Total) + ")"
}

// means says what is promised.
func (o objective) means() string {
	if o.Source != "" {
		return fmt.Sprintf("Share of the time in which no bar that %s should have was missing for more than %s. It should be %g %% of 30 days.", o.Source, o.Late, o.Objective)
	}
	return fmt.Sprintf("Share of requests that were good, over the time that is shown. It should be %g %% of 30 days; bad ones are those %s.", o.Objective, o.Description)
}

// burning is how many times faster than it may the budget of an objective is used up, over a window. Where nothing was bad,
// nothing is recorded.
func (o objective) burning(window string) query {
	return query{
		expr:   fmt.Sprintf(`100 / (100 - %g) * max(slo:bourse_bad:ratio_rate%s{namespace=~"$namespace", slo="%s"}) or vector(0)`, o.Objective, window, o.Name),
		legend: o.Name,
	}
}

// promises are the objectives: how well each is kept, and how fast its budget burns.
func promises(b *dashboard.DashboardBuilder, all []objective) *dashboard.DashboardBuilder {
	var fast, slow []query
	for _, o := range all {
		b.WithPanel(number(o.Name, o.means(), "percentunit", query{expr: o.kept()}, "red", step{o.Objective / 100, "green"}).Span(3).Decimals(2))
		fast, slow = append(fast, o.burning("1h")), append(slow, o.burning("3d"))
	}
	return b.
		WithPanel(number("overdue", "How long the oldest bar that a calendar expects has been missing, of the source that is worst off. 0: all that there should be is there.", "s", query{
			expr: `max(bourse_source_overdue_seconds{namespace=~"$namespace"})`,
		}, "green", step{1800, "orange"}, step{7200, "red"}).Span(3)).
		WithPanel(number("store", "Yes where every process that serves the API reads its store.", "bool_yes_no", query{
			expr: `min(bourse_store_up{namespace=~"$namespace"})`,
		}, "red", step{1, "green"}).Span(3).GraphMode(common.BigValueGraphModeNone)).
		WithPanel(number("alerts", "Alerts of bourse that fire now.", "none", query{
			expr: `count(max by (alertname, source) (ALERTS{alertname=~"Bourse.+", alertstate="firing", namespace=~"$namespace|"})) or vector(0)`,
		}, "green", step{1, "red"}).Span(3)).
		WithRow(dashboard.NewRowBuilder("Budgets")).
		WithPanel(limit(graph("Burn rate of an hour", "How many times faster than it may each objective's budget of 30 days was used up in the last hour. At 14.4 it lasts for two days, and somebody is woken.", "none", fast...).Decimals(1), 14.4)).
		WithPanel(limit(graph("Burn rate of three days", "The same over three days: over 1 the budget will not last.", "none", slow...).Decimals(1), 1))
}
