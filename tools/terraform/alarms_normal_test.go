package main

import (
	"fmt"
	"testing"
	"time"

	"bourse/tools/terraform/cloudwatch"
)

// A normal life is one in which no alarm may come.
var normal = []struct {
	name  string
	begin string
	days  int
	live  func(*life)
}{
	{"seventeen days with Easter, the beginning of summer time, a release, scaling, a restart of the database", "2026-03-23", 17, ordinary},
	{"a database that grows, and is given storage by RDS", "2026-04-20", 3, growing},
}

func ordinary(l *life) {
	// A release: one pod after the other; each new one may fail a check, and one crashes once.
	release := l.at("2026-03-25 10:00")
	l.put(healthy, release, release+12, func(m int) []cloudwatch.Sample { return sample(3 + float64(m%2)) })
	l.hold(unhealthy, release+2, release+4, 1)
	l.hold(unhealthy, release+7, release+9, 1)
	l.hold(crashing, release+3, release+5, 1)
	l.hold(healthy, release+9, release+10, 0) // one odd sample
	l.hold(connections, release+1, release+3, float64(int(0.85*l.maxConnections())))
	l.hold(pending, release, release+3, 1)

	// Three times the load: pods, then nodes, which take some minutes; twice within an hour.
	for _, text := range []string{"2026-03-26 14:00", "2026-03-26 14:35"} {
		peak := l.at(text)
		l.put(requests, peak, peak+25, func(m int) []cloudwatch.Sample { return some(3 * l.traffic(m)) })
		l.put(target5xx, peak, peak+25, func(m int) []cloudwatch.Sample { return some(float64(int(0.004 * 3 * l.traffic(m)))) })
		l.put(responseTime, peak, peak+3, func(m int) []cloudwatch.Sample { return l.times(m, 0.03, 1.6) })
		l.hold(pending, peak+1, peak+8, 4)
		l.hold(databaseCPU, peak, peak+10, 86)
	}

	// A request of Coinbase fails, and its repetition does not.
	failed := l.at("2026-03-27 11:00")
	// Candles are 25 minutes old for an hour; a source is slow for an hour.
	behind := l.at("2026-03-27 18:00")
	slow := l.at("2026-03-27 15:00")
	// The database restarts in its window: no metrics, then a busy start; runs fail once.
	restart := l.at("2026-03-29 03:30")
	l.lose(restart, restart+6, ofDatabase...)
	l.hold(databaseCPU, restart+6, restart+14, 92)
	l.put(target5xx, restart+1, restart+3, func(m int) []cloudwatch.Sample { return some(0.2 * l.traffic(m)) })
	l.behave = func(source string, m int) invocation {
		r := invocation{seconds: 2 + 20*dice(m)}
		r.passing = source == "coinbase" && (m == failed || m == restart)
		if source == "coinbase" && m >= behind && m < behind+hour {
			r.behind = 1500
		}
		if m >= slow && m < slow+hour {
			r.seconds = 150
		}
		if m == slow {
			r.seconds = 250
		}
		return r
	}

	// Lambda turns one event away, and another morning it is slow to start runs.
	l.add(throttles, l.at("2026-03-30 09:01"), 1)
	waits := l.at("2026-03-31 10:00")
	for m := waits; m < waits+15; m++ {
		l.add(eventAge, m, 240000)
	}
	l.add(eventAge, waits, 650000)

	// An agent of the cluster is updated; robots scan; a day's rates are 80 minutes late,
	// a day's prices fourteen hours.
	update := l.at("2026-03-31 09:00")
	l.lose(update, update+5, insights...)
	for _, text := range []string{"2026-03-28 04:17", "2026-04-01 21:30", "2026-04-02 13:03"} {
		scan := l.at(text)
		l.hold(blocked, scan, scan+3, 400)
	}
	for source, minutes := range map[string]int{"ecb": 80, "alphavantage": 14 * hour} {
		for i, at := range l.due[source] {
			if at.Format(time.DateOnly) == "2026-03-31" {
				l.given[source][i] = at.Add(time.Duration(minutes) * time.Minute)
			}
		}
	}
	// Images fill a node's disk for a moment, queries the database's memory.
	l.put(nodeDisk, l.at("2026-03-30 12:00"), l.at("2026-03-30 12:04"), func(int) []cloudwatch.Sample { return sample(88) })
	l.hold(freeMemory, l.at("2026-03-30 02:10"), l.at("2026-03-30 02:13"), 90*mib)
	// A node is taken away, and its pods wait a moment.
	l.hold(failedNodes, l.at("2026-04-01 19:02"), l.at("2026-04-01 19:05"), 1)
	l.hold(pending, l.at("2026-04-01 19:00"), l.at("2026-04-01 19:02"), 2)
}

// growing: the database fills within two days, far faster than it will. RDS adds storage when
// a tenth is left for five minutes (AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html), and
// takes its time.
func growing(l *life) {
	size := l.estate.of("aws_db_instance")[0].number("allocated_storage") * gib
	full := l.at("2026-04-22 00:00")
	l.put(freeStorage, 0, l.minutes, func(m int) []cloudwatch.Sample {
		left := 0.3 - 0.2*float64(m)/float64(full)
		if m > full+45 { // ten gigabytes, or a tenth
			return sample(left*size + max(10*gib, size/10))
		}
		return sample(left * size)
	})
}

// models are what CloudWatch may do and does not publish: alarms hold under each.
var models = []cloudwatch.Model{
	{Name: "as in its tables", Extra: 2, Late: 1},
	{Name: "at once", Extra: 0, Late: 0},
	{Name: "slow", Extra: 5, Late: 3},
}

// settled is when a life has lasted for longer than any alarm looks back.
const settled = 26 * 60

// normalStores are the normal lives of an environment.
func normalStores(t *testing.T, e *estate) map[string]lived {
	t.Helper()
	found := map[string]lived{}
	for _, n := range normal {
		begin, err := time.Parse(time.DateOnly, n.begin)
		if err != nil {
			t.Fatal(err)
		}
		l := newLife(t, e, begin, n.days)
		n.live(l)
		found[n.name] = lived{l, l.store()}
	}
	return found
}

type lived struct {
	*life
	all *cloudwatch.Store
}

// TestAlarmsStayQuiet: no alarm changes its state in a normal life.
func TestAlarmsStayQuiet(t *testing.T) {
	t.Parallel()
	for root, e := range environments(t) {
		alarms := e.alarmsOf(t)
		for name, l := range normalStores(t, e) {
			for short, a := range alarms {
				for _, m := range models {
					for _, finding := range l.quiet(t, a, m) {
						t.Errorf("%s, %s, CloudWatch %s: %s %s", root, name, m.Name, short, finding)
					}
				}
			}
		}
	}
}

func (l lived) quiet(t *testing.T, a *cloudwatch.Alarm, m cloudwatch.Model) []string {
	t.Helper()
	changes, err := a.Run(l.all, m, cloudwatch.OK, settled, l.minutes)
	if err != nil {
		t.Fatal(err)
	}
	var findings []string
	for _, c := range changes[:min(len(changes), 4)] {
		findings = append(findings, fmt.Sprintf("goes from %s to %s at %s", c.From, c.To, l.time(c.Minute).Format("Mon 2006-01-02 15:04")))
	}
	if more := len(changes) - len(findings); more > 0 {
		findings = append(findings, fmt.Sprintf("changes %d times more", more))
	}
	return findings
}
