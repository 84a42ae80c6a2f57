// Package cloudwatch evaluates metric alarms as CloudWatch documents that it does, minute by
// minute over series of samples, so that an alarm can be seen to fire and to stay quiet without
// an account.
//
// What an alarm looks at are datapoints: a statistic over a period. They slide: each minute the
// newest period ends now, those before it follow without a gap
// (AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and alarm-evaluation-window.html; wall
// clock windows are not modelled). More of them are looked at than the evaluation periods, which
// is the evaluation range; where data are missing in it, older ones step in, and only what is
// missing then is filled (alarms-and-missing-data.html). How far the range goes is not published:
// the tables of that page have two periods more. Nor is how late data arrive. Both are a [Model],
// and who relies on an alarm tries it under several.
package cloudwatch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A State of an alarm. A new one has Insufficient.
type State string

// The states of an alarm.
const (
	OK           State = "OK"
	Alarming     State = "ALARM"
	Insufficient State = "INSUFFICIENT_DATA"
)

// A Metric is what CloudWatch keeps one series of: with another set of dimensions it is another.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions map[string]string
}

// String is the same for equal metrics.
func (m Metric) String() string {
	var w strings.Builder
	w.WriteString(m.Namespace + " " + m.Name)
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		fmt.Fprintf(&w, " %s=%s", name, m.Dimensions[name])
	}
	return w.String()
}

// A Query is a metric's statistic, or an expression over others by their IDs.
type Query struct {
	ID         string
	Metric     Metric
	Stat       string // Sum, Average, Minimum, Maximum, SampleCount, or p0 to p100
	Expression string
	Returns    bool // what the alarm compares
}

// An Alarm on one metric has one query.
type Alarm struct {
	Name       string
	Queries    []Query
	Comparison string
	Threshold  float64
	Period     int    // minutes
	Periods    int    // that are evaluated, N
	Datapoints int    // of these that must breach, M
	Missing    string // breaching, notBreaching, ignore, missing
	LowSamples string // of a percentile: evaluate, ignore

	Actions   []string // when it fires
	OKActions []string // when it is over
}

// A Model is what is not published, or differs from time to time.
type Model struct {
	Name  string
	Extra int // periods of the evaluation range beyond the evaluation periods
	Late  int // minutes until what was measured can be seen
}

// A Change of an alarm's state. The minute is that of the evaluation, after the data of all
// minutes before it.
type Change struct {
	Minute   int
	From, To State
}

// Run evaluates the alarm each minute from the first to the last, and returns how its state
// changes.
func (a *Alarm) Run(store *Store, model Model, state State, first, last int) ([]Change, error) {
	points, err := newReader(a, store, model)
	if err != nil {
		return nil, err
	}
	breaches, err := comparison(a.Comparison)
	if err != nil {
		return nil, err
	}
	var changes []Change
	real := make([]age, 0, a.Periods+model.Extra)
	for now := first; now <= last; now++ {
		real = real[:0]
		for i := range a.Periods + model.Extra {
			if len(real) == a.Periods {
				break // older ones are not needed
			}
			if value, ok := points.at(now-i*a.Period, now); ok {
				real = append(real, age{i + 1, breaches(value, a.Threshold)})
			}
		}
		next := a.next(real, state)
		if points.tooFew(now, real) {
			next = state
		}
		if next != state {
			changes = append(changes, Change{now, state, next})
			state = next
		}
	}
	return changes, nil
}

func comparison(operator string) (func(value, threshold float64) bool, error) {
	switch operator {
	case "GreaterThanThreshold":
		return func(v, t float64) bool { return v > t }, nil
	case "GreaterThanOrEqualToThreshold":
		return func(v, t float64) bool { return v >= t }, nil
	case "LessThanThreshold":
		return func(v, t float64) bool { return v < t }, nil
	case "LessThanOrEqualToThreshold":
		return func(v, t float64) bool { return v <= t }, nil
	}
	return nil, fmt.Errorf("the comparison %q is not modelled", operator)
}
