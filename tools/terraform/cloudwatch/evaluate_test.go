package cloudwatch

import (
	"fmt"
	"strings"
	"testing"
)

// documented is the model of the tables in alarms-and-missing-data.html.
var documented = Model{Extra: 2}

var treatments = []string{"missing", "ignore", "breaching", "notBreaching"}

// drawn makes a series of one datapoint a minute as the page draws it, the newest on the
// right: 0 is good, X is bad, - is missing.
func drawn(t *testing.T, text string) Series {
	t.Helper()
	var s Series
	for field := range strings.FieldsSeq(text) {
		switch field {
		case "0", "X":
			s = append(s, []Sample{{Value: map[string]float64{"X": 1}[field], Count: 1}})
		case "-":
			s = append(s, nil)
		default:
			t.Fatalf("%q is none of 0, X, -", field)
		}
	}
	return s
}

var one = Metric{"test", "one", map[string]string{"of": "them"}}

func over(m, n int, missing string) *Alarm {
	return &Alarm{
		Name: "over", Queries: []Query{{ID: "one", Metric: one, Stat: "Maximum", Returns: true}}, Comparison: "GreaterThanThreshold",
		Period: 1, Periods: n, Datapoints: m, Missing: missing,
	}
}

func stateAfter(t *testing.T, a *Alarm, s Series, was State) State {
	t.Helper()
	changes, err := a.Run(NewStore(map[string]Series{one.String(): s}), documented, was, len(s), len(s))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		was = c.To
	}
	return was
}

// TestDocumentedTables has both tables of the page, and what its text adds.
// retain stands for the state that was.
func TestDocumentedTables(t *testing.T) {
	const retain, none = State("retain"), Insufficient
	for _, row := range []struct {
		m, n   int
		points string
		want   [4]State // as treatments
	}{
		{3, 3, "0 - X - X", [4]State{OK, OK, OK, OK}},
		{3, 3, "0 - - - -", [4]State{OK, OK, OK, OK}},
		{3, 3, "- - - - -", [4]State{none, retain, Alarming, OK}},
		{3, 3, "0 X X - X", [4]State{Alarming, Alarming, Alarming, Alarming}},
		{3, 3, "- - X - -", [4]State{Alarming, retain, Alarming, OK}},

		{2, 3, "0 - X - X", [4]State{Alarming, Alarming, Alarming, Alarming}},
		{2, 3, "0 0 X 0 X", [4]State{Alarming, Alarming, Alarming, Alarming}},
		{2, 3, "0 - X - -", [4]State{OK, OK, Alarming, OK}},
		{2, 3, "- - - - 0", [4]State{OK, OK, Alarming, OK}},
		{2, 3, "- - - X -", [4]State{Alarming, retain, Alarming, OK}},

		// "Avoiding premature transitions": these wait.
		{3, 3, "- - - - X", [4]State{retain, retain, Alarming, OK}},
		{3, 3, "- - - X -", [4]State{retain, retain, Alarming, OK}},
		// What would have come then.
		{3, 3, "- - - X 0", [4]State{OK, OK, OK, OK}},
		{3, 3, "- - X - 0", [4]State{OK, OK, OK, OK}},
		// "The next time this alarm is evaluated": the good one has left the range.
		{3, 3, "0 - - - - -", [4]State{none, retain, Alarming, OK}},
	} {
		for i, missing := range treatments {
			for _, was := range []State{OK, Alarming, Insufficient} {
				want := row.want[i]
				if want == retain {
					want = was
				}
				if got := stateAfter(t, over(row.m, row.n, missing), drawn(t, row.points), was); got != want {
					t.Errorf("%d of %d, %q, %s, before %s: %s, want %s", row.m, row.n, row.points, missing, was, got, want)
				}
			}
		}
	}
}

// TestSliding: a period of five minutes, one of one, is evaluated after minute 5 over minutes
// 1 to 5 and after minute 6 over 2 to 6 (alarm-evaluation.html).
func TestSliding(t *testing.T) {
	a := over(1, 1, "notBreaching")
	a.Period = 5
	s := drawn(t, "X 0 0 0 0 0 0 0 0 0 0 0")
	if got := changes(t, a, s, documented, 5); got != "5 ALARM, 6 OK" {
		t.Error(got)
	}
}

// TestLongPeriodsHideSilence: what a user reported of one day, one of one, breaching: the
// alarm came days after the last datapoint, since the range goes back further than its period.
func TestLongPeriodsHideSilence(t *testing.T) {
	s := drawn(t, "0"+strings.Repeat(" -", 29))
	long := over(1, 1, "breaching")
	long.Period = 6
	short := over(6, 6, "breaching")
	if one, other := changes(t, long, s, documented, 1), changes(t, short, s, documented, 1); one != "1 OK, 19 ALARM" || other != "1 OK, 9 ALARM" {
		t.Errorf("one period of six minutes: %s; six of one: %s", one, other)
	}
}

func TestLate(t *testing.T) {
	a := over(2, 3, "notBreaching")
	s := drawn(t, "0 0 0 X X X 0 0 0 0 0 0 0 0")
	at := func(late int) string { return changes(t, a, s, Model{Extra: 2, Late: late}, 3) }
	if one, other := at(0), at(2); one != "3 OK, 5 ALARM, 8 OK" || other != "3 OK, 7 ALARM, 10 OK" {
		t.Errorf("at once %s; two minutes late %s", one, other)
	}
}

func changes(t *testing.T, a *Alarm, s Series, model Model, first int) string {
	t.Helper()
	found, err := a.Run(NewStore(map[string]Series{one.String(): s}), model, Insufficient, first, len(s))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, c := range found {
		said = append(said, fmt.Sprint(c.Minute, " ", c.To))
	}
	return strings.Join(said, ", ")
}
