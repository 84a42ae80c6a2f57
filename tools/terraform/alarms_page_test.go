package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"bourse/tools/terraform/cloudwatch"
)

const alarmsPage = "../../docs/alarms.md"

// A span is from the least to the most minutes that were seen, over environments and models.
type span struct{ least, most int }

func (s *span) see(minutes int, first bool) {
	if first {
		*s = span{minutes, minutes}
	}
	*s = span{min(s.least, minutes), max(s.most, minutes)}
}

func (s span) String() string {
	short := func(minutes int) string {
		if minutes >= 120 || minutes <= -120 {
			return fmt.Sprintf("%.1f h", float64(minutes)/60)
		}
		return fmt.Sprintf("%d min", minutes)
	}
	if short(s.least) == short(s.most) {
		return short(s.most)
	}
	return short(s.least) + " to " + short(s.most)
}

// seen is how alarms went through a fault.
type seen map[string]*struct{ after, over span }

// TestAlarmsFire: each alarm fires on its faults in time, is over in time, fires once, and has
// nothing to do with the other faults. What is seen is docs/alarms.md.
func TestAlarmsFire(t *testing.T) {
	t.Parallel()
	made := environments(t)
	found := map[string]seen{}
	for root, e := range made {
		proven := map[string]bool{}
		alarms := e.alarmsOf(t)
		for _, f := range faults {
			if f.only != "" && f.only != root {
				continue
			}
			s := f.in(t, e)
			if found[f.name] == nil {
				found[f.name] = seen{}
			}
			for short, a := range alarms {
				for _, m := range models {
					o := s.suffer(t, a, m)
					for _, finding := range f.check(short, o) {
						t.Errorf("%s, %s, CloudWatch %s: %s %s", root, f.name, m.Name, short, finding)
					}
					if o.fires && !f.mayOnly(short) {
						proven[short] = true
						found[f.name].note(short, o)
					}
				}
			}
		}
		for short := range alarms {
			if !proven[short] {
				t.Errorf("%s: no fault lets %s fire", root, short)
			}
		}
	}
	comparePage(t, alarmsPage, renderAlarms(made[prod].alarmsOf(t), found), "make alarms")
}

func (f fault) mayOnly(alarm string) bool {
	return slices.ContainsFunc(f.fires, func(e expected) bool { return e.alarm == alarm && e.may })
}

func (s seen) note(alarm string, o outcome) {
	first := s[alarm] == nil
	if first {
		s[alarm] = &struct{ after, over span }{}
	}
	s[alarm].after.see(o.after, first)
	s[alarm].over.see(o.over, first)
}

func renderAlarms(alarms map[string]*cloudwatch.Alarm, found map[string]seen) string {
	var w strings.Builder
	w.WriteString(alarmsHead)
	w.WriteString("| alarm | fault | fires after | is over after |\n|---|---|---|---|\n")
	for _, short := range slices.Sorted(maps.Keys(alarms)) {
		named := "`" + short + "`"
		for _, f := range faults {
			if s := found[f.name][short]; s != nil {
				fmt.Fprintf(&w, "| %s | %s | %s | %s |\n", named, f.name, s.after, s.over)
				named = ""
			}
		}
	}
	w.WriteString("\n## By fault\n\n| fault | alarms that fire | alarms that may | heard besides |\n|---|---|---|---|\n")
	for _, f := range faults {
		var must, can []string
		for _, x := range f.fires {
			if x.may {
				can = append(can, "`"+x.alarm+"`")
			} else {
				must = append(must, "`"+x.alarm+"`")
			}
		}
		fmt.Fprintf(&w, "| %s | %s | %s | %s |\n", f.name, strings.Join(must, ", "), strings.Join(can, ", "), f.heard)
	}
	w.WriteString("\n## What they look at\n\nIn production; a period slides with each minute.\n\n| alarm | fires when | no data |\n|---|---|---|\n")
	for _, short := range slices.Sorted(maps.Keys(alarms)) {
		a := alarms[short]
		fmt.Fprintf(&w, "| `%s` | %s | %s |\n", short, condition(a), noData[a.Missing])
	}
	w.WriteString(alarmsFoot)
	for _, n := range normal {
		fmt.Fprintf(&w, "- %s\n", n.name)
	}
	return w.String()
}

var noData = map[string]string{"breaching": "as bad", "notBreaching": "as good", "ignore": "state stays", "missing": "no state"}

func condition(a *cloudwatch.Alarm) string {
	what := ""
	for _, q := range a.Queries {
		if q.Returns && q.Expression == "" {
			what = q.Stat + " of " + q.Metric.Name
		} else if q.Returns {
			what = "`" + q.Expression + "`"
		}
	}
	is := map[string]string{"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<", "LessThanOrEqualToThreshold": "≤"}[a.Comparison]
	return fmt.Sprintf("%s %s %s in %d of %d periods of %d min", what, is, number(a.Threshold), a.Datapoints, a.Periods, a.Period)
}

func number(v float64) string {
	if v >= 1e9 {
		return fmt.Sprintf("%.1f GiB", v/gib)
	}
	if v >= 1e8 {
		return fmt.Sprintf("%.0f MiB", v/mib)
	}
	return fmt.Sprintf("%.0f", v)
}

const alarmsHead = "# Alarms\n\n" +
	"Written by `make alarms`; `make tf-test` fails where this page is not what it sees. The alarms are those that Terraform\n" +
	"makes of `envs/dev` and `envs/prod`; what happens to them is simulated, minute by minute, as AWS documents that CloudWatch\n" +
	"evaluates alarms (`tools/terraform/cloudwatch`, [0021](decisions/0021-alarms.md)), over invented series of each fault. No real alarm has\n" +
	"fired. Times are from the beginning of the fault, and from its end; the span is that of\n" +
	"both environments and of what AWS does not publish: how late data come (0 to 3 minutes), how many periods more it looks back\n" +
	"where some are missing (0 to 5). The queue of dead letters is emptied by a person half an hour after the end.\n\n"

const alarmsFoot = "\n## The first day\n\n" +
	"`edge-down`, `cluster-nodes`, `database-cpu` and `ingest-<source>-silent` fire once, until what they watch is there;\n" +
	"`ingest-errors` and `ingest-dead-letters` for runs before the schema was. `ingest-<source>-overdue` has no state before the\n" +
	"first run that succeeds; all others are OK from the first minute.\n\n## What they stay quiet over\n\n" +
	"No alarm changes its state in these, in either environment:\n\n"
