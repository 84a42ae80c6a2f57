package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"bourse/tools/terraform/cloudwatch"
)

// A mutant is an alarm with one thing changed.
type mutant struct {
	what  string
	alarm *cloudwatch.Alarm
}

// neverZero are metrics that are reported only where there is something to count: more than
// nothing and more than less than nothing are the same of these.
var neverZero = []string{"DestinationDeliveryFailures", "InvocationDroppedCount"}

// same are changes that change nothing: runs of Alpha Vantage are four hours apart.
var same = map[string]string{
	"ingest-alphavantage-overdue":     "periods four times as long",
	"ingest-alphavantage-quarantined": "periods four times as long",
}

func mutants(a *cloudwatch.Alarm) []mutant {
	var all []mutant
	change := func(what string, edit func(*cloudwatch.Alarm)) {
		m := *a
		edit(&m)
		all = append(all, mutant{what, &m})
	}
	above := strings.HasPrefix(a.Comparison, "Greater")
	high, low := max(4*a.Threshold, a.Threshold+1000), min(a.Threshold/4, a.Threshold-1)
	if a.Threshold > 0 && a.Threshold < 100 {
		high = 4 * a.Threshold
	}
	change(fmt.Sprintf("threshold %g", high), func(m *cloudwatch.Alarm) { m.Threshold = high })
	counts := a.Queries[0].Stat == "SampleCount" // as silent: where there is a datapoint it is good
	if !counts && !slices.Contains(neverZero, a.Queries[0].Metric.Name) {
		change(fmt.Sprintf("threshold %g", low), func(m *cloudwatch.Alarm) { m.Threshold = low })
	}
	if !counts {
		change("the other comparison", func(m *cloudwatch.Alarm) {
			m.Comparison = map[bool]string{true: "LessThanThreshold", false: "GreaterThanThreshold"}[above]
		})
	}
	change("periods four times as long", func(m *cloudwatch.Alarm) { m.Period *= 4 })
	change("four times the periods", func(m *cloudwatch.Alarm) { m.Periods *= 4; m.Datapoints *= 4 })
	if a.Datapoints > 1 {
		change("one datapoint is enough", func(m *cloudwatch.Alarm) { m.Datapoints = 1 })
	}
	if a.Datapoints < a.Periods {
		change("all datapoints are needed", func(m *cloudwatch.Alarm) { m.Datapoints = m.Periods })
	}
	for _, missing := range []string{"breaching", "notBreaching", "ignore", "missing"} {
		if missing != a.Missing && len(a.Queries) == 1 { // our expressions fill what is missing
			change("missing data "+missing, func(m *cloudwatch.Alarm) { m.Missing = missing })
		}
	}
	change("no alarm action", func(m *cloudwatch.Alarm) { m.Actions = nil })
	change("no OK action", func(m *cloudwatch.Alarm) { m.OKActions = nil })
	return all
}

// TestAlarmsMutated: no change of an alarm in production goes unnoticed.
func TestAlarmsMutated(t *testing.T) {
	t.Parallel()
	e := environments(t)[prod]
	alarms := e.alarmsOf(t)
	lives, first, topics := normalStores(t, e), begin(t, e), e.topics()
	suffered := map[string]suffering{}
	for _, f := range faults {
		suffered[f.name] = f.in(t, e)
	}
	count := 0
	for _, short := range slices.Sorted(maps.Keys(alarms)) {
		notices := func(a *cloudwatch.Alarm, all bool) bool {
			if !heard(a, topics) {
				return true
			}
			for _, m := range models {
				if len(first.beginning(t, short, a, m)) > 0 {
					return true
				}
				for _, f := range faults {
					if (all || f.concerns(short)) && len(f.check(short, suffered[f.name].suffer(t, a, m))) > 0 {
						return true
					}
				}
				for _, l := range lives {
					if len(l.quiet(t, a, m)) > 0 {
						return true
					}
				}
			}
			return false
		}
		if notices(alarms[short], false) {
			t.Errorf("%s is noticed as it is", short)
		}
		for _, m := range mutants(alarms[short]) {
			if same[short] == m.what {
				continue
			}
			if count++; !notices(m.alarm, m.alarm.Missing != alarms[short].Missing) {
				t.Errorf("%s with %s: nothing notices", short, m.what)
			}
		}
	}
	t.Logf("%d mutants of %d alarms", count, len(alarms))
}

func (f fault) concerns(alarm string) bool {
	return slices.ContainsFunc(f.fires, func(e expected) bool { return e.alarm == alarm && !e.may })
}

// heard says whether a topic of the estate hears of an alarm and of its end.
func heard(a *cloudwatch.Alarm, topics []string) bool {
	return len(a.Actions) == 1 && len(a.OKActions) == 1 && slices.Contains(topics, a.Actions[0]) && slices.Contains(topics, a.OKActions[0])
}

func (e *estate) topics() []string {
	var arns []string
	for _, t := range e.of("aws_sns_topic") {
		arns = append(arns, t.text("arn"))
	}
	return arns
}
