package web

import (
	"time"

	"bourse/internal/market"
)

// span is a stretch of time that an instrument's page can show.
type span struct {
	Key, Label          string
	years, months, days int // none, and no hours: all there is
	hours               int
}

// all reports whether the span is all that there is.
func (s span) all() bool { return s.years == 0 && s.months == 0 && s.days == 0 && s.hours == 0 }

// before returns where the span begins that ends at a time.
func (s span) before(end time.Time) time.Time {
	return end.AddDate(-s.years, -s.months, -s.days).Add(time.Duration(-s.hours) * time.Hour)
}

// interval is a length of bars with the spans for which one page of them is enough.
type interval struct {
	Name     market.Interval
	Label    string
	spans    []span
	standard int // the span that is shown where none is asked for
}

var intervals = []interval{
	{Name: market.Day, Label: "1 day", standard: 2, spans: []span{
		{Key: "1m", Label: "1M", months: 1},
		{Key: "3m", Label: "3M", months: 3},
		{Key: "1y", Label: "1Y", years: 1},
		{Key: "5y", Label: "5Y", years: 5},
		{Key: "max", Label: "Max"},
	}},
	{Name: market.Hour, Label: "1 hour", standard: 1, spans: []span{
		{Key: "1d", Label: "1D", days: 1},
		{Key: "1w", Label: "1W", days: 7},
		{Key: "1m", Label: "1M", months: 1},
		{Key: "3m", Label: "3M", months: 3},
	}},
	{Name: market.Minute, Label: "1 minute", standard: 1, spans: []span{
		{Key: "1h", Label: "1H", hours: 1},
		{Key: "6h", Label: "6H", hours: 6},
		{Key: "1d", Label: "1D", days: 1},
		{Key: "3d", Label: "3D", days: 3},
	}},
}

// intervalsOf returns the intervals that there are of a kind of instrument, the day first.
func intervalsOf(kind string) []interval {
	if kind == string(market.Crypto) {
		return intervals
	}
	return intervals[:1]
}

// chosen returns the interval of a name, the day where there is none of that name.
func chosen(of []interval, name string) interval {
	for _, i := range of {
		if string(i.Name) == name {
			return i
		}
	}
	return of[0]
}

// start reads the start of a bar as the API writes it.
func (i interval) start(text string) (time.Time, error) {
	if i.Name == market.Day {
		return time.Parse(time.DateOnly, text)
	}
	return time.Parse(time.RFC3339, text)
}
