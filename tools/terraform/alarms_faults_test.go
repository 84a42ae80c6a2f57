package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/tools/terraform/cloudwatch"
)

// A fault changes a life from one minute to another. Alarms that are not named must stay
// quiet, whatever else breaks. Minutes are those of the slowest CloudWatch, as seen.
type fault struct {
	name  string
	from  string // of the days 13 to 16 April 2026, in UTC
	to    string
	live  func(l *life, from, to int)
	fires []expected
	only  string // environment
	heard string // what else is heard of, and from where
}

// An expected alarm fires within minutes of the beginning, and is over within minutes of the end.
type expected struct {
	alarm        string
	within, over int
	may          bool // or stays quiet
}

const faultDays = 4

var faultStart = time.Date(2026, 4, 13, 0, 0, 0, 0, time.UTC)

func fires(alarm string, within, over int) expected { return expected{alarm, within, over, false} }
func may(alarm string) expected                     { return expected{alarm: alarm, may: true} }

const (
	hour  = 60
	slack = 5  // minutes that an alarm may end before its fault: what it looks at slides
	mends = 30 // minutes until a person has emptied the queue, and until it is seen
)

var faults = []fault{
	{
		name: "a pod of web hangs", from: "15 10:00", to: "15 10:40",
		live:  func(l *life, from, to int) { l.hold(healthy, from, to, 2); l.hold(unhealthy, from, to, 1) },
		fires: []expected{fires("edge-unhealthy", 8, 4)},
	},
	{
		name: "no pod of web is healthy", from: "15 10:00", to: "15 10:40",
		live: func(l *life, from, to int) {
			l.hold(healthy, from, to, 0)
			l.hold(unhealthy, from, to, 3)
			l.refuse(from, to)
		},
		fires: []expected{fires("edge-down", 5, 4), fires("edge-unhealthy", 8, 4), fires("edge-errors", 9, 12)},
	},
	{
		name: "web is uninstalled", from: "15 10:00", to: "15 10:40",
		live:  func(l *life, from, to int) { l.lose(from, to, healthy, unhealthy); l.refuse(from, to) },
		fires: []expected{fires("edge-down", 7, 4), fires("edge-errors", 9, 12)},
	},
	{
		name: "the whole cluster is lost", from: "15 10:00", to: "15 14:00",
		live: func(l *life, from, to int) {
			l.lose(from, to, healthy, unhealthy)
			l.lose(from, to, insights...)
			l.refuse(from, to)
		},
		fires: []expected{fires("edge-down", 7, 4), fires("edge-errors", 9, 12), fires("cluster-nodes", 13, 8)},
	},
	{
		name: "one answer in 25 is an error", from: "15 10:00", to: "15 10:30",
		live: func(l *life, from, to int) {
			l.put(target5xx, from, to, func(m int) []cloudwatch.Sample { return some(float64(int(0.04*l.traffic(m) + 0.5))) })
		},
		fires: []expected{fires("edge-errors", 11, 12)},
	},
	{
		name: "one answer in eight is an error, for eight minutes", from: "15 10:00", to: "15 10:08",
		live: func(l *life, from, to int) {
			l.put(target5xx, from, to, func(m int) []cloudwatch.Sample { return some(float64(int(0.12 * l.traffic(m)))) })
		},
		fires: []expected{fires("edge-errors", 9, 12)},
	},
	{
		name: "one answer in 40 takes three seconds", from: "15 10:00", to: "15 11:00",
		live: func(l *life, from, to int) {
			l.put(responseTime, from, to, func(m int) []cloudwatch.Sample { return l.times(m, 0.025, 3) })
		},
		fires: []expected{fires("edge-slow", 16, 21)},
	},
	{
		name: "an attack", from: "15 10:00", to: "15 10:30",
		live:  func(l *life, from, to int) { l.hold(blocked, from, to, 700) },
		fires: []expected{fires("edge-blocked", 7, 4)},
	},
	{
		name: "a whole zone is lost", from: "15 10:00", to: "15 13:00", only: prod, heard: "RDS, `failover`",
		live: func(l *life, from, to int) {
			l.hold(healthy, from, from+2, 2) // all replicas are back within 90 s: drills/zone_test.go
			l.hold(unhealthy, from, from+2, 1)
			l.hold(failedNodes, from+1, to, 1)
			l.hold(pending, from+1, from+8, 2)
			l.failover(from)
		},
		fires: []expected{fires("cluster-nodes", 12, 8)},
	},
	{
		name: "a node hangs", from: "15 10:00", to: "15 11:00",
		live:  func(l *life, from, to int) { l.hold(failedNodes, from+1, to, 1) },
		fires: []expected{fires("cluster-nodes", 12, 8)},
	},
	{
		name: "the cluster's agents are gone", from: "15 10:00", to: "15 11:00",
		live:  func(l *life, from, to int) { l.lose(from, to, insights...) },
		fires: []expected{fires("cluster-nodes", 13, 8)},
	},
	{
		name: "a release that crashes", from: "15 10:00", to: "15 10:45", heard: "`helm`",
		live: func(l *life, from, to int) { // Kubernetes waits 10 s, then twice as long each time, to five minutes
			l.put(crashing, from+1, to, func(m int) []cloudwatch.Sample {
				if dice(m) < 0.2 {
					return sample(0)
				}
				return sample(1)
			})
		},
		fires: []expected{fires("cluster-crashes", 11, 13)},
	},
	{
		name: "an image that cannot be pulled, or no room on any node", from: "15 10:00", to: "15 10:45", heard: "`helm`",
		live:  func(l *life, from, to int) { l.hold(pending, from, to, 1) },
		fires: []expected{fires("cluster-pending", 18, 4)},
	},
	{
		name: "a node's disk fills", from: "15 10:00", to: "15 11:30",
		live: func(l *life, from, to int) {
			l.put(nodeDisk, from, to, func(m int) []cloudwatch.Sample {
				return []cloudwatch.Sample{{Value: 31, Count: 2}, {Value: min(93, 52+float64(m-from)), Count: 1}}
			})
		},
		fires: []expected{fires("cluster-disk", 45, 5)},
	},
	{
		name: "the database fails over", from: "15 10:00", to: "15 10:02", heard: "RDS, `failover`",
		live: func(l *life, from, _ int) { l.failover(from) },
	},
	{
		name: "the database is gone", from: "15 10:00", to: "15 13:00", heard: "RDS, `availability`, `failure`",
		live: func(l *life, from, to int) {
			l.lose(from, to, ofDatabase...)
			l.put(target5xx, from, to, func(m int) []cloudwatch.Sample { return some(float64(int(0.25 * l.traffic(m)))) })
			l.fail(from, to)
		},
		fires: []expected{
			fires("database-cpu", 20, 9), fires("edge-errors", 9, 12), fires("ingest-errors", 9, 22), fires("ingest-dead-letters", 6, 35),
			fires("ingest-coinbase-silent", 81, 4),
		},
	},
	{
		name: "the database computes at 95 %", from: "15 10:00", to: "15 11:00",
		live:  func(l *life, from, to int) { l.hold(databaseCPU, from, to, 95) },
		fires: []expected{fires("database-cpu", 18, 9)},
	},
	{
		name: "the database fills beyond its limit, in three hours", from: "15 10:00", to: "15 14:00", heard: "RDS, `low storage`",
		live: func(l *life, from, to int) {
			size := l.estate.of("aws_db_instance")[0].number("allocated_storage") * gib
			l.put(freeStorage, from, to, func(m int) []cloudwatch.Sample {
				return sample(size * max(0.005, 0.4*(1-float64(m-from)/180)))
			})
		},
		fires: []expected{fires("database-storage", 153, 5)},
	},
	{
		name: "a leak of connections", from: "15 10:00", to: "15 11:00",
		live:  func(l *life, from, to int) { l.hold(connections, from, to, float64(int(0.93*l.maxConnections()))) },
		fires: []expected{fires("database-connections", 8, 4)},
	},
	{
		name: "the database has no memory left", from: "15 10:00", to: "15 11:00",
		live:  func(l *life, from, to int) { l.hold(freeMemory, from, to, 55*mib) },
		fires: []expected{fires("database-memory", 11, 5)},
	},
	{
		name: "the ECB is down for a day", from: "14 22:00", to: "15 16:51", // when it is last asked
		live: func(l *life, from, to int) { l.fail(from, to, "ecb") },
		fires: []expected{
			fires("ingest-dead-letters", 846, 35), fires("ingest-errors", 854, 21), fires("ingest-ecb-silent", 1156, 1153),
		},
	},
	{
		name: "the ECB publishes nothing for a day", from: "14 22:00", to: "15 22:00",
		live:  func(l *life, from, to int) { l.withhold("ecb", from, to) },
		fires: []expected{fires("ingest-ecb-overdue", 1096, 844)},
	},
	{
		name: "Coinbase is down, or changes its format, for six hours", from: "15 10:00", to: "15 16:00",
		live: func(l *life, from, to int) { l.fail(from, to, "coinbase") },
		fires: []expected{
			fires("ingest-errors", 9, 22), fires("ingest-dead-letters", 6, 35), fires("ingest-coinbase-silent", 81, 4),
		},
	},
	{
		name: "Coinbase answers with old candles for six hours", from: "15 10:00", to: "15 16:00",
		live: func(l *life, from, to int) {
			l.behave = func(source string, m int) invocation {
				r := invocation{seconds: 4}
				if source == "coinbase" && m >= from && m < to {
					r.behind = float64(m-from) * 60
				}
				return r
			}
		},
		fires: []expected{fires("ingest-coinbase-overdue", 56, 4)},
	},
	{
		name: "Alpha Vantage is down for two days", from: "14 04:00", to: "16 04:00", only: prod,
		live:  func(l *life, from, to int) { l.fail(from, to, "alphavantage") },
		fires: []expected{fires("ingest-dead-letters", 26, 35), fires("ingest-alphavantage-silent", 1246, 24)},
	},
	{
		name: "Alpha Vantage has nothing new for two days", from: "14 10:00", to: "16 12:00", only: prod,
		live:  func(l *life, from, to int) { l.withhold("alphavantage", from, to) },
		fires: []expected{fires("ingest-alphavantage-overdue", 2304, 24)},
	},
	{
		name: "the ECB's file has bad rows for a day", from: "14 22:00", to: "15 16:51",
		live:  func(l *life, from, to int) { l.spoil("ecb", from, to) },
		fires: []expected{fires("ingest-ecb-quarantined", 844, 360)},
	},
	{
		name: "Coinbase has bad rows for an hour", from: "15 10:00", to: "15 11:00",
		live:  func(l *life, from, to int) { l.spoil("coinbase", from, to) },
		fires: []expected{fires("ingest-coinbase-quarantined", 4, 56)},
	},
	{
		name: "Alpha Vantage has a bad row", from: "15 04:00", to: "15 04:21", only: prod,
		live:  func(l *life, from, to int) { l.spoil("alphavantage", from, to) },
		fires: []expected{fires("ingest-alphavantage-quarantined", 24, 243)},
	},
	{
		name: "the function's concurrency is used up for two hours", from: "15 10:00", to: "15 12:00",
		live: func(l *life, from, to int) { l.each(from, to, invocation{throttled: true}) },
		fires: []expected{
			fires("ingest-throttled", 14, 78), fires("ingest-waiting", 24, 64), fires("ingest-dead-letters", 64, 95), fires("ingest-coinbase-silent", 81, 4),
		},
	},
	{
		name: "the function lacks a right", from: "15 10:00", to: "15 12:00",
		live: func(l *life, from, to int) { l.fail(from, to) },
		fires: []expected{
			fires("ingest-errors", 9, 22), fires("ingest-dead-letters", 6, 35), fires("ingest-coinbase-silent", 81, 4),
		},
	},
	{
		name: "the function lacks a right, and that to its queue", from: "15 10:00", to: "15 12:00",
		live: func(l *life, from, to int) { l.each(from, to, invocation{fails: true, unkept: true, seconds: 1}) },
		fires: []expected{
			fires("ingest-errors", 9, 22), fires("ingest-lost", 6, 28), fires("ingest-coinbase-silent", 81, 4),
		},
	},
	{
		name: "runs take 270 of 300 seconds", from: "15 10:00", to: "15 12:00",
		live:  func(l *life, from, to int) { l.each(from, to, invocation{seconds: 270}) },
		fires: []expected{fires("ingest-slow", 16, 11)},
	},
	{
		name: "Scheduler may not invoke the function", from: "15 10:00", to: "15 12:00",
		live: func(l *life, from, to int) { l.each(from, to, invocation{dropped: true}) },
		fires: []expected{
			fires("ingest-undelivered", 19, 41), fires("ingest-dead-letters", 19, 35), fires("ingest-coinbase-silent", 81, 4),
		},
	},
	{
		name: "the schedules are gone", from: "14 20:00", to: "15 20:00",
		live: func(l *life, from, to int) { l.each(from, to, invocation{never: true}) },
		fires: []expected{
			fires("ingest-coinbase-silent", 81, 4), fires("ingest-ecb-silent", 1276, 964), may("ingest-alphavantage-silent"),
		},
	},
	{
		name: "the function's log does not arrive", from: "14 20:00", to: "15 20:00",
		live: func(l *life, from, to int) { l.each(from, to, invocation{mute: true, seconds: 4}) },
		fires: []expected{
			fires("ingest-coinbase-silent", 81, 4), fires("ingest-ecb-silent", 1276, 964), may("ingest-alphavantage-silent"),
		},
	},
}

// refuse: requests that find no pod are the balancer's own errors, and are not counted as
// requests.
func (l *life) refuse(from, to int) {
	l.lose(from, to, requests, target5xx, responseTime)
	l.put(balancer5xx, from, to, func(m int) []cloudwatch.Sample { return some(l.traffic(m)) })
}

// failover: the database is away for two minutes, and with it what was not asked before.
func (l *life) failover(from int) {
	l.lose(from, from+3, ofDatabase...)
	l.put(target5xx, from, from+2, func(m int) []cloudwatch.Sample { return some(float64(int(0.25 * l.traffic(m)))) })
	l.behave = func(_ string, m int) invocation { return invocation{seconds: 4, passing: m >= from && m < from+2} }
}

// each lets all runs of a time be like one; fail lets those of some sources fail, or of all.
func (l *life) each(from, to int, r invocation) {
	l.behave = func(_ string, m int) invocation {
		if m >= from && m < to {
			return r
		}
		return invocation{seconds: 4}
	}
	l.drained = to + mends
	if r.throttled {
		l.drained += hour // the last of them
	}
}

func (l *life) fail(from, to int, of ...string) {
	l.behave = func(source string, m int) invocation {
		r := invocation{seconds: 4}
		r.fails = m >= from && m < to && (len(of) == 0 || strings.Contains(strings.Join(of, " "), source))
		return r
	}
	l.drained = to + mends
}

// spoil: each run of a source meets the same bad rows.
func (l *life) spoil(of string, from, to int) {
	l.behave = func(source string, m int) invocation {
		r := invocation{seconds: 4}
		if source == of && m >= from && m < to {
			r.quarantined = 27
		}
		return r
	}
}

// withhold: what should come out in a time comes at its end.
func (l *life) withhold(source string, from, to int) {
	for i, at := range l.given[source] {
		if !at.Before(l.time(from)) && at.Before(l.time(to)) {
			l.given[source][i] = l.time(to)
		}
	}
}

// An outcome is how an alarm went through a fault.
type outcome struct {
	fires bool
	after int // minutes from the beginning
	over  int // minutes from the end of the fault
	wrong []string
}

// suffer takes an alarm through a fault, from an hour before it to the end of the life.
func (s suffering) suffer(t *testing.T, a *cloudwatch.Alarm, m cloudwatch.Model) outcome {
	t.Helper()
	changes, err := a.Run(s.all, m, cloudwatch.OK, s.from-hour, s.minutes)
	if err != nil {
		t.Fatal(err)
	}
	o, state, times := outcome{}, cloudwatch.OK, 0
	for _, c := range changes {
		state = c.To
		at := s.time(c.Minute).Format("on the 2 at 15:04")
		switch {
		case c.Minute <= s.from:
			o.wrong = append(o.wrong, fmt.Sprintf("goes to %s before anything is wrong, %s", c.To, at))
		case c.To == cloudwatch.Insufficient:
			o.wrong = append(o.wrong, "has no state "+at)
		case c.To == cloudwatch.Alarming:
			if times++; times == 1 {
				o.fires, o.after = true, c.Minute-s.from
			}
		case c.To == cloudwatch.OK:
			o.over = c.Minute - s.to
		}
	}
	if times > 1 {
		o.wrong = append(o.wrong, fmt.Sprintf("fires %d times", times))
	}
	if state == cloudwatch.Alarming {
		o.wrong = append(o.wrong, "is not over")
	}
	return o
}

// A suffering is a life with a fault.
type suffering struct {
	lived
	from, to int
}

func (f fault) in(t *testing.T, e *estate) suffering {
	t.Helper()
	l := newLife(t, e, faultStart, faultDays)
	from, to := l.at("2026-04-"+f.from), l.at("2026-04-"+f.to)
	f.live(l, from, to)
	return suffering{lived{l, l.store()}, from, to}
}

// check compares what an alarm did with what is expected of it.
func (f fault) check(alarm string, o outcome) []string {
	i := slices.IndexFunc(f.fires, func(e expected) bool { return e.alarm == alarm })
	switch {
	case i < 0 && !o.fires:
		return o.wrong
	case i < 0:
		return append(o.wrong, fmt.Sprintf("fires after %d minutes, and has nothing to do with it", o.after))
	case f.fires[i].may:
		return o.wrong
	case !o.fires:
		return append(o.wrong, "does not fire")
	}
	wrong := o.wrong
	if o.after > f.fires[i].within {
		wrong = append(wrong, fmt.Sprintf("fires after %d minutes, not within %d", o.after, f.fires[i].within))
	}
	if o.over > f.fires[i].over || o.over < -slack {
		wrong = append(wrong, fmt.Sprintf("is over %d minutes after the end, not within %d", o.over, f.fires[i].over))
	}
	return wrong
}
