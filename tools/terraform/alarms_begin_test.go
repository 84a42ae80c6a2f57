package main

import (
	"slices"
	"strings"
	"testing"

	"bourse/tools/terraform/cloudwatch"
)

// On the first day alarms are there before what they watch: those that take silence for a
// failure say so until there is something, and those of the function until the schema is there.
var (
	firingAtFirst = []string{"edge-down", "cluster-nodes", "database-cpu", "ingest-*-silent"}
	statelessYet  = []string{"ingest-*-overdue"}
	untilMigrated = []string{"ingest-errors", "ingest-dead-letters"}
)

// among says whether an alarm is in a list, in which * stands for a source.
func among(list []string, alarm string) bool {
	return slices.ContainsFunc(list, func(name string) bool {
		before, after, any := strings.Cut(name, "*")
		return name == alarm || any && strings.HasPrefix(alarm, before) && strings.HasSuffix(alarm, after)
	})
}

// begin is the first day: an apply at ten o'clock, metrics of the database and the nodes when
// they are there, web and the schema with the installation of the chart.
func begin(t *testing.T, e *estate) lived {
	t.Helper()
	l := newLife(t, e, faultStart.Add(10*hour*60*1e9), 2)
	const database, nodes, chart = 5, 25, hour
	l.lose(0, database, ofDatabase...)
	l.lose(0, nodes, insights...)
	l.lose(0, chart, healthy, unhealthy, blocked)
	l.lose(0, chart, ofRequests...)
	l.fail(0, chart)
	return lived{l, l.store()}
}

func (l lived) beginning(t *testing.T, short string, a *cloudwatch.Alarm, m cloudwatch.Model) []string {
	t.Helper()
	changes, err := a.Run(l.all, m, cloudwatch.Insufficient, 1, l.minutes)
	if err != nil {
		t.Fatal(err)
	}
	want := cloudwatch.OK
	switch {
	case among(firingAtFirst, short):
		want = cloudwatch.Alarming
	case among(statelessYet, short):
		want = cloudwatch.Insufficient
	}
	first, state, times := cloudwatch.Insufficient, cloudwatch.Insufficient, 0
	for _, c := range changes {
		if c.Minute == 1 {
			first = c.To
		}
		if state = c.To; state == cloudwatch.Alarming {
			times++
		}
	}
	var findings []string
	if first != want {
		findings = append(findings, "has the state "+string(first)+" before there are data, not "+string(want))
	}
	if may := among(firingAtFirst, short) || among(untilMigrated, short); times > 1 || times == 1 && !may {
		findings = append(findings, "fires in the first hours")
	}
	if state != cloudwatch.OK {
		findings = append(findings, "has the state "+string(state)+" after two days")
	}
	return findings
}

// TestAlarmsBegin: on the first day those alarms fire, once, that say something true.
func TestAlarmsBegin(t *testing.T) {
	t.Parallel()
	for root, e := range environments(t) {
		l := begin(t, e)
		for short, a := range e.alarmsOf(t) {
			for _, m := range models {
				for _, finding := range l.beginning(t, short, a, m) {
					t.Errorf("%s, CloudWatch %s: %s %s", root, m.Name, short, finding)
				}
			}
		}
	}
}
