package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A timetable says in which minutes Scheduler starts a source.
type timetable struct {
	source  string
	zone    *time.Location
	every   int      // minutes, of a rate
	minutes [60]bool // else of a cron
	hours   [24]bool
}

func (s *timetable) starts(at time.Time) bool {
	if s.every > 0 {
		return int(at.Unix()/60)%s.every == 0
	}
	at = at.In(s.zone)
	return s.minutes[at.Minute()] && s.hours[at.Hour()]
}

// timetables reads the schedules of an estate.
func (e *estate) timetables(t *testing.T) []*timetable {
	t.Helper()
	var found []*timetable
	for _, r := range e.of("aws_scheduler_schedule") {
		s, err := readTimetable(r.text("schedule_expression"), r.text("schedule_expression_timezone"))
		if err != nil {
			t.Fatalf("%s: %v", r.Address, err)
		}
		s.source = r.Address[strings.Index(r.Address, "[\"")+2 : len(r.Address)-2]
		found = append(found, s)
	}
	return found
}

var (
	rate = regexp.MustCompile(`^rate\((\d+) minutes\)$`)
	cron = regexp.MustCompile(`^cron\((\S+) (\S+) \* \* \? \*\)$`)
	part = regexp.MustCompile(`^(\d+)(?:-(\d+))?(?:/(\d+))?$`)
)

func readTimetable(expression, zone string) (*timetable, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	s := &timetable{zone: location}
	if m := rate.FindStringSubmatch(expression); m != nil {
		s.every, err = strconv.Atoi(m[1])
		return s, err
	}
	m := cron.FindStringSubmatch(expression)
	if m == nil {
		return nil, fmt.Errorf("the schedule %q is not modelled", expression)
	}
	if err := readField(m[1], s.minutes[:]); err != nil {
		return nil, err
	}
	return s, readField(m[2], s.hours[:])
}

// readField reads 5, 5-7, 5/10 (from 5 on, each tenth) and *.
func readField(text string, at []bool) error {
	if text == "*" {
		text = "0/1"
	}
	m := part.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("the field %q is not modelled", text)
	}
	number := func(text string, otherwise int) int {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
		return otherwise
	}
	from := number(m[1], 0)
	to, step := from, number(m[3], 1)
	if m[3] != "" {
		to = len(at) - 1
	}
	for i := from; i <= min(number(m[2], to), len(at)-1); i += step {
		at[i] = true
	}
	return nil
}

// A feed is what is known of a source's values: those of a day come out at a time in its zone;
// one that is polled always has some.
type feed struct {
	zone   string
	at     time.Duration
	closed []string // days besides weekends, of the months that are simulated
	poll   time.Duration
}

// feeds repeats what internal/source says of itself and internal/market of its calendars.
var feeds = map[string]feed{
	"ecb":          {zone: "Europe/Berlin", at: 16 * time.Hour, closed: []string{"2026-04-03", "2026-04-06", "2026-05-01"}},
	"alphavantage": {zone: "America/New_York", at: 18 * time.Hour, closed: []string{"2026-04-03"}},
	"coinbase":     {zone: "UTC", poll: 5 * time.Minute},
}

// published lists when the values of the days from and to come out.
func (f feed) published(t *testing.T, from, to time.Time) []time.Time {
	t.Helper()
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		t.Fatal(err)
	}
	var all []time.Time
	for day := from.AddDate(0, 0, -7); day.Before(to.AddDate(0, 0, 7)); day = day.AddDate(0, 0, 1) {
		y, m, d := day.Date()
		at := time.Date(y, m, d, 0, 0, 0, 0, zone).Add(f.at)
		if w := at.Weekday(); w != time.Saturday && w != time.Sunday && !strings.Contains(strings.Join(f.closed, " "), at.Format(time.DateOnly)) {
			all = append(all, at)
		}
	}
	return all
}

func TestTimetables(t *testing.T) {
	for _, c := range []struct{ expression, zone, at string }{
		{"cron(0/10 14-18 * * ? *)", "Europe/Berlin", "2026-03-28T13:00:00Z 2026-03-28T17:50:00Z 2026-03-29T12:00:00Z"}, // summer began
		{"cron(20 0/4 * * ? *)", "America/New_York", "2026-03-24T00:20:00Z 2026-03-24T04:20:00Z"},
		{"rate(5 minutes)", "UTC", "2026-03-24T00:20:00Z 2026-03-24T04:25:00Z"},
	} {
		s, err := readTimetable(c.expression, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.FieldsSeq(c.at) {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			if !s.starts(at) || s.starts(at.Add(time.Minute)) {
				t.Errorf("%s: at %s it starts: %v, a minute later: %v", c.expression, text, s.starts(at), s.starts(at.Add(time.Minute)))
			}
		}
	}
	for _, text := range []string{"cron(0 1 * * MON *)", "cron(0,5 1 * * ? *)", "at(2026-01-01T00:00:00)", "rate(1 hour)"} {
		if _, err := readTimetable(text, "UTC"); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
