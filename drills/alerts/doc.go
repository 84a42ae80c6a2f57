// Package alerts breaks one thing at a time in a running bourse, and watches which alert of
// the chart's rules reaches a receiver, after how long, and that it resolves; and that none
// does while nothing is broken. It has tests only: make drill-alerts runs them and writes
// docs/alerts.md.
//
// Rules wait for minutes and look back on days. For the faults they are scaled: every
// duration of theirs is divided by [factor], and so is Alertmanager's. bourse itself is
// not; runs of its sources are started as often as the scaled schedule wants. The normal run
// has the rules as they are, in real time.
//
// Sources are played by a replay server. What it recorded is years old, so the dates on
// their way to and fro are shifted by as many weeks as make them those of today.
package alerts

// factor is by how much the drill is faster than the rules: a second stands for a minute.
const factor = 60
