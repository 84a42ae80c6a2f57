package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bourse/tools/terraform/cloudwatch"
)

// alarmsOf reads the alarms of an estate, by what they are called after the environment.
func (e *estate) alarmsOf(t *testing.T) map[string]*cloudwatch.Alarm {
	t.Helper()
	found := map[string]*cloudwatch.Alarm{}
	for _, r := range e.of("aws_cloudwatch_metric_alarm") {
		a, err := readAlarm(r)
		if err != nil {
			t.Fatalf("%s: %v", r.Address, err)
		}
		found[e.short(a.Name)] = a
	}
	if len(found) == 0 {
		t.Fatalf("%s has no alarms", e.root)
	}
	return found
}

func (e *estate) short(alarm string) string {
	return strings.TrimPrefix(alarm, "bourse-"+strings.TrimPrefix(e.root, "envs/")+"-")
}

func readAlarm(r resource) (*cloudwatch.Alarm, error) {
	a := &cloudwatch.Alarm{
		Name:       r.text("alarm_name"),
		Comparison: r.text("comparison_operator"),
		Threshold:  r.number("threshold"),
		Periods:    int(r.number("evaluation_periods")),
		Datapoints: int(r.number("datapoints_to_alarm")),
		Missing:    r.text("treat_missing_data"),
		LowSamples: r.text("evaluate_low_sample_count_percentiles"),
		Actions:    r.texts("alarm_actions"),
		OKActions:  r.texts("ok_actions"),
	}
	seconds := r.number("period")
	if r.text("metric_name") != "" {
		a.Queries = []cloudwatch.Query{{ID: "metric", Metric: metricOf(r), Stat: r.text("statistic") + r.text("extended_statistic"), Returns: true}}
	}
	for _, q := range r.blocks("metric_query") {
		query := cloudwatch.Query{ID: q.text("id"), Expression: q.text("expression"), Returns: q.is("return_data")}
		for _, m := range q.blocks("metric") {
			if seconds != 0 && m.number("period") != seconds {
				return nil, fmt.Errorf("its metrics have periods of %g and %g seconds", seconds, m.number("period"))
			}
			query.Metric, query.Stat, seconds = metricOf(m), m.text("stat"), m.number("period")
		}
		a.Queries = append(a.Queries, query)
	}
	a.Period = int(seconds) / 60
	if seconds < 60 || int(seconds)%60 != 0 {
		return nil, fmt.Errorf("a period of %g seconds is not modelled", seconds)
	}
	// PutMetricAlarm refuses more (its Period and EvaluationPeriods).
	if longest := 7 * 24 * 60; a.Period*a.Periods > longest || a.Period < 60 && a.Period*a.Periods > longest/7 {
		return nil, fmt.Errorf("%d periods of %d minutes are more than a day, or a week where a period is an hour", a.Periods, a.Period)
	}
	if a.Datapoints < 1 || a.Datapoints > a.Periods || !slices.Contains([]string{"breaching", "notBreaching", "ignore", "missing"}, a.Missing) {
		return nil, fmt.Errorf("%d of %d, missing data %q", a.Datapoints, a.Periods, a.Missing)
	}
	return a, nil
}

func metricOf(r resource) cloudwatch.Metric {
	m := cloudwatch.Metric{Namespace: r.text("namespace"), Name: r.text("metric_name"), Dimensions: map[string]string{}}
	named, _ := r.get("dimensions").(map[string]any)
	for name, value := range named {
		m.Dimensions[name], _ = value.(string)
	}
	return m
}
