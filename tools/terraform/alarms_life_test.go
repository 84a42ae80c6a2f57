package main

import (
	"fmt"
	"testing"
	"time"

	"bourse/tools/terraform/cloudwatch"
)

// A life is what the metrics of an environment report, minute by minute. It begins normal;
// faults change it before it is stored.
type life struct {
	estate  *estate
	start   time.Time
	minutes int
	series  map[string]cloudwatch.Series
	tables  []*timetable
	due     map[string][]time.Time // when the values of each day are expected of a source
	given   map[string][]time.Time // when they come out

	// behave says what becomes of a run of a source; drained, when a person has emptied the
	// queue of dead letters.
	behave  func(source string, minute int) invocation
	drained int
}

// An invocation as Lambda and its metrics see it.
type invocation struct {
	never       bool // started: nobody did
	dropped     bool // Scheduler could not hand the event over
	throttled   bool
	fails       bool    // as does the one that repeats it
	passing     bool    // the one that repeats it succeeds
	mute        bool    // its log does not arrive
	unkept      bool    // nor does the record of its failure
	behind      float64 // seconds since the newest value of a source that is polled
	quarantined float64
	seconds     float64
}

// The metrics that are simulated, by where their dimensions come from.
type what struct{ namespace, name, of string }

var (
	requests     = what{"AWS/ApplicationELB", "RequestCount", "balancer"}
	balancer5xx  = what{"AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "balancer"}
	target5xx    = what{"AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "balancer"}
	responseTime = what{"AWS/ApplicationELB", "TargetResponseTime", "balancer"}
	healthy      = what{"AWS/ApplicationELB", "HealthyHostCount", "target"}
	unhealthy    = what{"AWS/ApplicationELB", "UnHealthyHostCount", "target"}
	blocked      = what{"AWS/WAFV2", "BlockedRequests", "acl"}

	failedNodes = what{"ContainerInsights", "cluster_failed_node_count", "cluster"}
	nodeDisk    = what{"ContainerInsights", "node_filesystem_utilization", "cluster"}
	crashing    = what{"ContainerInsights", "pod_container_status_waiting_reason_crash_loop_back_off", "cluster"}
	pending     = what{"ContainerInsights", "pod_status_pending", "cluster"}

	databaseCPU   = what{"AWS/RDS", "CPUUtilization", "database"}
	freeStorage   = what{"AWS/RDS", "FreeStorageSpace", "database"}
	connections   = what{"AWS/RDS", "DatabaseConnections", "database"}
	freeMemory    = what{"AWS/RDS", "FreeableMemory", "database"}
	insights      = []what{failedNodes, nodeDisk, crashing, pending}
	ofDatabase    = []what{databaseCPU, freeStorage, connections, freeMemory}
	ofRequests    = []what{requests, balancer5xx, target5xx, responseTime}
	invocations   = what{"AWS/Lambda", "Invocations", "function"}
	runErrors     = what{"AWS/Lambda", "Errors", "function"}
	throttles     = what{"AWS/Lambda", "Throttles", "function"}
	runTime       = what{"AWS/Lambda", "Duration", "function"}
	eventAge      = what{"AWS/Lambda", "AsyncEventAge", "function"}
	notDelivered  = what{"AWS/Lambda", "DestinationDeliveryFailures", "function"}
	deadLetters   = what{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "queue"}
	droppedEvents = what{"AWS/Scheduler", "InvocationDroppedCount", "group"}
)

func own(name, source string) what { return what{"bourse", name, source} }

// metric names what an environment has, so that an alarm on something else has no data.
func (l *life) metric(w what) cloudwatch.Metric {
	one := func(kind, attribute string) string { return l.estate.of(kind)[0].text(attribute) }
	d := map[string]string{}
	switch w.of {
	case "balancer":
		d["LoadBalancer"] = one("aws_lb", "arn_suffix")
	case "target":
		d["LoadBalancer"], d["TargetGroup"] = one("aws_lb", "arn_suffix"), one("aws_lb_target_group", "arn_suffix")
	case "acl":
		d["WebACL"], d["Region"], d["Rule"] = one("aws_wafv2_web_acl", "name"), "eu-central-1", "ALL"
	case "cluster":
		d["ClusterName"] = one("aws_eks_cluster", "name")
	case "database":
		d["DBInstanceIdentifier"] = one("aws_db_instance", "identifier")
	case "function":
		d["FunctionName"] = one("aws_lambda_function", "function_name")
	case "queue":
		d["QueueName"] = one("aws_sqs_queue", "name")
	case "group":
		d["ScheduleGroup"] = one("aws_scheduler_schedule_group", "name")
	default:
		d["function"], d["source"] = one("aws_lambda_function", "function_name"), w.of
	}
	return cloudwatch.Metric{Namespace: w.namespace, Name: w.name, Dimensions: d}
}

func newLife(t *testing.T, e *estate, start time.Time, days int) *life {
	t.Helper()
	l := &life{
		estate: e, start: start, minutes: days * 24 * 60, series: map[string]cloudwatch.Series{}, tables: e.timetables(t),
		due: map[string][]time.Time{}, given: map[string][]time.Time{}, behave: func(string, int) invocation { return invocation{seconds: 4} },
	}
	for _, s := range l.tables {
		f, known := feeds[s.source]
		if !known {
			t.Fatalf("nothing is known of the source %s", s.source)
		}
		l.due[s.source] = f.published(t, start, start.AddDate(0, 0, days))
		for i, at := range l.due[s.source] { // the ECB is a quarter of an hour late on average
			l.given[s.source] = append(l.given[s.source], at.Add(time.Duration(30*dice(i))*time.Minute))
		}
	}
	l.edge()
	l.cluster()
	l.database()
	return l
}

// put replaces what a metric reports in the minutes from and to (excluded).
func (l *life) put(w what, from, to int, report func(minute int) []cloudwatch.Sample) {
	key := l.metric(w).String()
	if l.series[key] == nil {
		l.series[key] = make(cloudwatch.Series, l.minutes)
	}
	for minute := max(from, 0); minute < min(to, l.minutes); minute++ {
		l.series[key][minute] = report(minute)
	}
}

func (l *life) hold(w what, from, to int, value float64) {
	l.put(w, from, to, func(int) []cloudwatch.Sample { return sample(value) })
}

// lose takes what metrics report away.
func (l *life) lose(from, to int, of ...what) {
	for _, w := range of {
		l.put(w, from, to, func(int) []cloudwatch.Sample { return nil })
	}
}

func sample(value float64) []cloudwatch.Sample { return []cloudwatch.Sample{{Value: value, Count: 1}} }

// some is a sample where there is something to count: such metrics do not report zeros.
func some(value float64) []cloudwatch.Sample {
	if value == 0 {
		return nil
	}
	return sample(value)
}

func (l *life) add(w what, minute int, values ...float64) {
	if minute >= l.minutes {
		return
	}
	key := l.metric(w).String()
	if l.series[key] == nil {
		l.series[key] = make(cloudwatch.Series, l.minutes)
	}
	for _, v := range values {
		l.series[key][minute] = append(l.series[key][minute], cloudwatch.Sample{Value: v, Count: 1})
	}
}

func (l *life) time(minute int) time.Time { return l.start.Add(time.Duration(minute) * time.Minute) }

// at is the minute of a time of the life, as "2026-03-25 10:00" in UTC.
func (l *life) at(text string) int {
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return int(at.Sub(l.start) / time.Minute)
}

func (l *life) production() bool { return l.estate.root == prod }

// dice gives 0 to 1, always the same in the same minute.
func dice(minute int) float64 {
	x := uint64(minute)*0x9e3779b97f4a7c15 + 0x7f4a7c15
	x ^= x >> 31
	x *= 0xbf58476d1ce4e5b9
	return float64((x>>20)&0xffff) / 0xffff
}

// traffic is how many requests come in a minute. Dev has none outside of working hours.
func (l *life) traffic(minute int) float64 {
	at := l.time(minute)
	working := at.Weekday() != time.Saturday && at.Weekday() != time.Sunday && at.Hour() >= 6 && at.Hour() < 18
	switch {
	case l.production() && working:
		return float64(int(300 + 200*dice(minute)))
	case l.production():
		return float64(int(40 + 60*dice(minute)))
	case working:
		return float64(int(30 + 20*dice(minute)))
	}
	return 0
}

// edge: one request in a thousand takes 2.5 s, one in 2,000 fails, robots are blocked.
func (l *life) edge() {
	l.put(requests, 0, l.minutes, func(m int) []cloudwatch.Sample { return some(l.traffic(m)) })
	l.put(responseTime, 0, l.minutes, func(m int) []cloudwatch.Sample { return l.times(m, 0.001, 2.5) })
	l.put(target5xx, 0, l.minutes, func(m int) []cloudwatch.Sample {
		return some(float64(int(l.traffic(m)/2000 + dice(m))))
	})
	l.put(balancer5xx, 0, l.minutes, func(int) []cloudwatch.Sample { return nil })
	l.hold(healthy, 0, l.minutes, 3)
	l.hold(unhealthy, 0, l.minutes, 0)
	l.put(blocked, 0, l.minutes, func(m int) []cloudwatch.Sample { return some(float64(int(30*dice(m+7) - 15))) })
}

// times is the distribution of a minute's answers, of which a part is slow.
func (l *life) times(minute int, part, seconds float64) []cloudwatch.Sample {
	n := l.traffic(minute)
	if n == 0 {
		return nil
	}
	slow := float64(int(n*part + dice(minute+3)))
	return []cloudwatch.Sample{{Value: 0.02, Count: n - slow}, {Value: seconds, Count: slow}}
}

func (l *life) cluster() {
	l.hold(failedNodes, 0, l.minutes, 0)
	l.hold(crashing, 0, l.minutes, 0)
	l.hold(pending, 0, l.minutes, 0)
	l.put(nodeDisk, 0, l.minutes, func(m int) []cloudwatch.Sample {
		return []cloudwatch.Sample{{Value: 31, Count: 1}, {Value: 38 + 10*dice(m/600), Count: 1}, {Value: 52, Count: 1}}
	})
}

// The database: its CPU follows the requests; a backup each night costs CPU and, for its time,
// storage.
func (l *life) database() {
	r := l.estate.of("aws_db_instance")[0]
	size := r.number("allocated_storage") * gib
	backup := func(m int) bool { at := l.time(m); return at.Hour() == 2 && at.Minute() < 25 }
	l.put(databaseCPU, 0, l.minutes, func(m int) []cloudwatch.Sample {
		if backup(m) {
			return sample(60 + 30*dice(m))
		}
		return sample(5 + 30*dice(m))
	})
	l.put(freeStorage, 0, l.minutes, func(m int) []cloudwatch.Sample {
		if backup(m) {
			return sample(0.37 * size)
		}
		return sample(0.4 * size)
	})
	l.put(connections, 0, l.minutes, func(m int) []cloudwatch.Sample {
		return sample(float64(int(l.maxConnections() * (0.2 + 0.15*dice(m)))))
	})
	l.put(freeMemory, 0, l.minutes, func(m int) []cloudwatch.Sample { return sample((180 + 40*dice(m)) * mib) })
}

const (
	mib = 1048576.0
	gib = 1024 * mib
)

// maxConnections is what RDS gives the class (docs/aws.md).
func (l *life) maxConnections() float64 {
	class := l.estate.of("aws_db_instance")[0].text("instance_class")
	most, known := map[string]float64{"db.t4g.micro": 80, "db.m7g.large": 850}[class]
	if !known {
		panic(fmt.Sprint("nothing is known of ", class))
	}
	return most
}

const sixHours = 6 * 60

// store makes what the runs report, and closes the life.
func (l *life) store() *cloudwatch.Store {
	letters := make([]float64, l.minutes+120)
	kept := func(minute int) { letters[min(minute, l.minutes)]++ }
	for _, s := range l.tables {
		have := -1 // of what the source gave
		for minute := range l.minutes {
			if !s.starts(l.time(minute)) {
				continue
			}
			r := l.behave(s.source, minute)
			switch {
			case r.never:
			case r.dropped: // after 15 minutes of trying
				l.add(droppedEvents, minute+15, 1)
				kept(minute + 15)
			case r.throttled: // Lambda tries for an hour, each five minutes in the end
				for i := 0; i <= 60; i += 5 {
					l.add(throttles, minute+i, 1)
					l.add(eventAge, minute+i, float64(i)*60000)
				}
				kept(minute + 60)
			default:
				have = l.invoke(s.source, minute, have, r, kept)
			}
		}
	}
	left, last := 0.0, -sixHours
	for minute := range l.minutes {
		left += letters[minute]
		if l.drained > 0 && minute == l.drained {
			left = 0
		}
		if left > 0 {
			last = minute
		}
		if minute < last+sixHours { // an empty queue reports that for six hours
			l.add(deadLetters, minute, left)
		}
	}
	return cloudwatch.NewStore(l.series)
}

// invoke is a run that Lambda starts, and the one that repeats it a minute later.
func (l *life) invoke(source string, minute, have int, r invocation, kept func(int)) int {
	attempt := func(at int, fails bool) {
		l.add(invocations, at, 1)
		l.add(throttles, at, 0)
		l.add(eventAge, at, float64(at-minute)*60000+80)
		l.add(runTime, at, r.seconds*1000)
		errors := 0.0
		if fails {
			errors = 1
		}
		l.add(runErrors, at, errors)
		if !r.mute {
			l.add(own("duration", source), at, r.seconds)
		}
		if fails {
			return
		}
		now := l.time(at)
		for have+1 < len(l.given[source]) && !l.given[source][have+1].After(now) {
			have++
		}
		if !r.mute {
			l.add(own("lag", source), at, l.overdue(source, have, now, r.behind))
			l.add(own("quarantined", source), at, r.quarantined)
			l.add(own("rows", source), at, 1)
		}
	}
	attempt(minute, r.fails || r.passing)
	if !r.fails && !r.passing {
		return have
	}
	attempt(minute+1, r.fails)
	if r.unkept && r.fails {
		l.add(notDelivered, minute+2, 1)
	} else if r.fails {
		kept(minute + 2)
	}
	return have
}

// overdue is market.Source.Overdue, which the function reports as lag.
func (l *life) overdue(source string, have int, now time.Time, behind float64) float64 {
	if f := feeds[source]; f.poll > 0 {
		return max(0, behind-2*f.poll.Seconds())
	}
	return max(0, now.Sub(l.due[source][have+1]).Seconds())
}
