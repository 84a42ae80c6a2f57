package coinbase

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bourse/internal/market"
)

// perWindow is how many candles a request asks for. The exchange documents 300 as the
// most; it has been seen to serve 301 and to refuse 302.
const perWindow = 300

// mostWindows bounds what a run asks of a series, so that a product whose trading has
// been halted for years isn't asked for all its minutes every time. They reach back
// 20 days in minutes and three years in hours; what is older is for a backfill.
const mostWindows = 100

// opened is the beginning of the month in which the exchange opened. What it has from
// before is of trials, and is not asked for.
var opened = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// interval is a length of candle, with what runs ask for.
type interval struct {
	name    market.Interval
	length  time.Duration
	history time.Duration // how far back the first run of a series goes at least, at most to opened
	overlap time.Duration // what later runs ask for again, since the exchange corrects candles
}

// intervals are in the order in which they are asked for.
var intervals = []interval{
	{market.Day, 24 * time.Hour, mostWindows * perWindow * 24 * time.Hour, 7 * 24 * time.Hour},
	{market.Hour, time.Hour, 30 * 24 * time.Hour, 24 * time.Hour},
	{market.Minute, time.Minute, 24 * time.Hour, time.Hour},
}

// window is a span of candles, by the starts of its first and its last.
type window struct{ first, last time.Time }

// windows cuts the candles from one time to another, those that hold the two included,
// into windows that don't overlap, the oldest first.
func (i interval) windows(from, to time.Time) []window {
	var list []window
	last := to.UTC().Truncate(i.length)
	for first := from.UTC().Truncate(i.length); !first.After(last); first = first.Add(perWindow * i.length) {
		list = append(list, window{first, earliest(last, first.Add((perWindow-1)*i.length))})
	}
	return list
}

// Next returns all requests of a run: of each series what is newer than the newest bar
// that the store has, with the overlap. The oldest come first, so that the newest bar
// tells how far a run came that was broken off. Days that the store lacks are asked for
// once a day.
func (s *Source) Next(have market.Coverage, done []string, now time.Time) []market.Request {
	if len(done) > 0 {
		return nil
	}
	var list []market.Request
	for _, i := range intervals {
		for _, product := range s.products {
			list = append(list, s.requests(product, i, i.windows(i.begin(have, product, now), now))...)
		}
		for _, product := range s.products {
			list = append(list, s.requests(product, i, i.holes(have, product, now))...)
		}
	}
	return list
}

// Span returns the requests for all candles from one day to another, none that begins
// in the future or before the exchange opened.
func (s *Source) Span(from, to market.Date, now time.Time) []market.Request {
	var list []market.Request
	for _, i := range intervals {
		for _, product := range s.products {
			end := earliest(now, (to + 1).Time().Add(-i.length))
			list = append(list, s.requests(product, i, i.windows(latest(opened, from.Time()), end))...)
		}
	}
	return list
}

func (s *Source) requests(product string, i interval, windows []window) []market.Request {
	var list []market.Request
	for _, w := range windows {
		list = append(list, market.Request{
			Resource: i.resource(product),
			URL: fmt.Sprintf("%s/products/%s/candles?granularity=%d&start=%s&end=%s", s.base, product,
				int(i.length.Seconds()), w.first.Format(time.RFC3339), w.last.Format(time.RFC3339)),
			MaxBytes: maxBytes,
		})
	}
	return list
}

// begin returns where a run begins with the candles of a product, UTC.
func (i interval) begin(have market.Coverage, product string, now time.Time) time.Time {
	now = now.UTC()
	newest, ok := have.Latest[market.SeriesKey{Symbol: product, Interval: i.name}]
	if !ok {
		return latest(opened, now.Add(-i.history).Truncate(24*time.Hour)) // the same all day, however often a first run fails
	}
	end := earliest(newest.Start, now)
	// A bar from the future, which may be in the store, says nothing of what is before it.
	if fetched, ok := have.Fetched[i.resource(product)]; ok {
		end = earliest(end, fetched.UTC())
	}
	return latest(opened, end.Add(-i.overlap), now.Add(-(mostWindows*perWindow-1)*i.length))
}

// holes returns windows around what the store lacks of a product before what a run asks
// for anyway: days without a candle, and values of any interval that are in quarantine.
// A day without trades stays missing, and a bad value may stay bad, so they are for the
// first run of a day.
func (i interval) holes(have market.Coverage, product string, now time.Time) []window {
	if !have.Fetched[i.resource(product)].Before(now.UTC().Truncate(24 * time.Hour)) {
		return nil
	}
	begin := i.begin(have, product, now)
	starts := have.Holes[market.SeriesKey{Symbol: product, Interval: i.name}]
	if i.name == market.Day {
		starts = nil
		for _, day := range have.Missing(product, market.EveryDay, market.DateOf(begin)) {
			starts = append(starts, day.Time())
		}
	}
	var list []window
	for _, start := range starts {
		if n := len(list); !start.Before(begin) {
			break
		} else if n > 0 && start.Before(list[n-1].first.Add(perWindow*i.length)) {
			list[n-1].last = start
		} else {
			list = append(list, window{start, start})
		}
	}
	return list
}

// resource names the candles of a product.
func (i interval) resource(product string) string { return product + "/" + string(i.name) }

// series returns what a resource names.
func series(resource string) (product string, i interval, ok bool) {
	product, name, _ := strings.Cut(resource, "/")
	n := slices.IndexFunc(intervals, func(i interval) bool { return string(i.name) == name })
	if _, _, ok := pair(product); !ok || n < 0 {
		return "", interval{}, false
	}
	return product, intervals[n], true
}

func earliest(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }
func latest(times ...time.Time) time.Time   { return slices.MaxFunc(times, time.Time.Compare) }
