package coinbase

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
)

// asked is a request as the exchange understands it.
type asked struct {
	resource    string
	length      time.Duration
	first, last time.Time
}

// understand reads requests back. It fails where the exchange would refuse one.
func understand(t *testing.T, list []market.Request, now time.Time) []asked {
	t.Helper()
	var out []asked
	for _, r := range list {
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		product, i, ok := series(r.Resource)
		q := u.Query()
		first, err1 := time.Parse(time.RFC3339, q.Get("start"))
		last, err2 := time.Parse(time.RFC3339, q.Get("end"))
		want := "https://example.com/exchange/products/" + product + "/candles"
		if !ok || err1 != nil || err2 != nil || len(q) != 3 || q.Get("granularity") != fmt.Sprint(i.length.Seconds()) ||
			!strings.HasPrefix(r.URL, want+"?") || strings.Contains(r.URL, "%") {
			t.Fatalf("%s is asked for as %s", r.Resource, r.URL)
		}
		switch n := int(last.Sub(first)/i.length) + 1; {
		case n < 1 || n > 300:
			t.Errorf("%s asks for %d candles", r.URL, n)
		case first.Unix()%int64(i.length.Seconds()) != 0 || last.Unix()%int64(i.length.Seconds()) != 0:
			t.Errorf("%s is not aligned", r.URL)
		case last.After(now):
			t.Errorf("%s asks for candles after %s", r.URL, now)
		case r.MaxBytes < 64<<10 || r.MaxBytes > 2<<20:
			t.Errorf("%s may have %d bytes", r.URL, r.MaxBytes)
		}
		out = append(out, asked{r.Resource, i.length, first, last})
	}
	return out
}

// summary writes requests as "BTC-USD/1d 2018-03-01 2018-03-08; …", windows that follow
// each other as one.
func summary(list []asked) string {
	var parts []string
	for n := 0; n < len(list); {
		a := list[n]
		for n++; n < len(list) && list[n].resource == a.resource && list[n].first.Equal(a.last.Add(a.length)); n++ {
			a.last = list[n].last
		}
		layout := "2006-01-02T15:04"
		if a.length == 24*time.Hour {
			layout = time.DateOnly
		}
		parts = append(parts, a.resource+" "+a.first.Format(layout)+" "+a.last.Format(layout))
	}
	return strings.Join(parts, "; ")
}

// TestWindows: windows of any span hold each candle of it once, and no other.
func TestWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := source(t, "BTC-USD")
	for range 2000 {
		i := intervals[r.IntN(len(intervals))]
		from := time.Unix(1420070400+r.Int64N(400_000_000), r.Int64N(1e9))
		to := from.Add(time.Duration(r.Int64N(int64(2000 * i.length))))
		if r.IntN(4) == 0 { // beginning, ending or both at the edge of a window
			to = from.Add(time.Duration(299+r.IntN(3)) * i.length).Truncate(i.length)
		}
		list := understand(t, s.requests("BTC-USD", i, i.windows(from, to)), to)
		next, last := from.UTC().Truncate(i.length), to.UTC().Truncate(i.length)
		for n, w := range list {
			if !w.first.Equal(next) || n < len(list)-1 && w.last.Sub(w.first) != 299*i.length {
				t.Fatalf("%s from %s to %s: window %d is from %s to %s", i.name, from, to, n, w.first, w.last)
			}
			next = w.last.Add(i.length)
		}
		if !next.Equal(last.Add(i.length)) {
			t.Fatalf("%s from %s to %s: the windows end before %s", i.name, from, to, next)
		}
	}
	if list := intervals[0].windows(opened, opened.Add(-time.Second)); list != nil {
		t.Errorf("a span that ends before it begins has windows: %v", list)
	}
}

// TestSpan: any days, in the past, around now or in the future.
func TestSpan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := source(t, "BTC-USD", "ETH-EUR")
	now := time.Date(2018, 4, 5, 15, 30, 20, 0, time.UTC)
	for range 300 {
		from := market.DateOf(now) - 20 + market.Date(r.IntN(30))
		to := from + market.Date(r.IntN(10))
		end := earliest((to + 1).Time().Add(-time.Second), now)
		var want []string
		for _, i := range intervals {
			for _, product := range s.products {
				if !from.Time().After(now) {
					want = append(want, summary([]asked{{i.resource(product), i.length, from.Time(), end.Truncate(i.length)}}))
				}
			}
		}
		if got := summary(understand(t, s.Span(from, to, now), now)); got != strings.Join(want, "; ") {
			t.Errorf("%s to %s: got %s, want %s", from, to, got, want)
		}
	}
	if got := summary(understand(t, s.Span(0, market.NewDate(2015, 1, 1), now)[:1], now)); got != "BTC-USD/1d 2015-01-01 2015-01-01" {
		t.Errorf("before the exchange opened: got %s", got)
	}
	if got := s.Span(0, market.NewDate(2014, 12, 31), now); got != nil {
		t.Errorf("before the exchange opened: got %v", got)
	}
}

func bar(start time.Time) market.Bar { return market.Bar{Start: start} }

// known is a store with the newest bars of BTC-USD, which was loaded ago before now.
func known(now time.Time, ago time.Duration, day, hour, minute time.Time) market.Coverage {
	c := market.Coverage{Latest: map[market.SeriesKey]market.Bar{}, Fetched: map[string]time.Time{}}
	for i, start := range []time.Time{day, hour, minute} {
		c.Latest[market.SeriesKey{Symbol: "BTC-USD", Interval: intervals[i].name}] = bar(start)
		c.Fetched[intervals[i].resource("BTC-USD")] = now.Add(-ago)
	}
	return c
}

func TestNext(t *testing.T) {
	now := time.Date(2018, 4, 5, 15, 30, 20, 0, time.UTC)
	day, hour, minute := now.Truncate(24*time.Hour), now.Truncate(time.Hour), now.Truncate(time.Minute)
	const upToDate = "BTC-USD/1d 2018-03-29 2018-04-05; BTC-USD/1h 2018-04-04T15:00 2018-04-05T15:00; BTC-USD/1m 2018-04-05T14:30 2018-04-05T15:30"
	partly := known(now, time.Minute, day.AddDate(-2, 0, 0), hour, minute)
	delete(partly.Latest, market.SeriesKey{Symbol: "BTC-USD", Interval: market.Minute})
	future := known(now, 5*time.Minute, day.AddDate(0, 0, 2), hour.Add(47*time.Hour), minute.Add(47*time.Hour))
	late := known(now, 10*time.Hour, day.AddDate(0, 0, 2), hour.Add(47*time.Hour), minute.Add(47*time.Hour))
	unloaded := future
	unloaded.Fetched = nil
	for name, c := range map[string]struct {
		have     market.Coverage
		want     string
		requests int
	}{
		"an empty store": {
			market.Coverage{},
			"BTC-USD/1d 2015-01-01 2018-04-05; BTC-USD/1h 2018-03-06T00:00 2018-04-05T15:00; BTC-USD/1m 2018-04-04T00:00 2018-04-05T15:30",
			4 + 3 + 8,
		},
		"up to date": {known(now, time.Second, day, hour, minute), upToDate, 3},
		"five minutes old": {
			known(now, 5*time.Minute, day, hour, minute.Add(-5*time.Minute)), strings.Replace(upToDate, "14:30", "14:25", 1), 3,
		},
		"behind": {
			known(now, 20*24*time.Hour, day.AddDate(0, 0, -20), hour.AddDate(0, 0, -20), minute.AddDate(0, 0, -2)),
			"BTC-USD/1d 2018-03-09 2018-04-05; BTC-USD/1h 2018-03-15T15:00 2018-04-05T15:00; BTC-USD/1m 2018-03-16T14:30 2018-04-05T15:30",
			1 + 2 + 97,
		},
		// The first run was broken off after some windows.
		"loaded in part": {
			partly,
			"BTC-USD/1d 2016-03-29 2018-04-05; BTC-USD/1h 2018-04-04T15:00 2018-04-05T15:00; BTC-USD/1m 2018-04-04T00:00 2018-04-05T15:30",
			3 + 1 + 8,
		},
		// Without a bound that would be 2,000 windows of minutes, in every run.
		"trading halted for a year": {
			known(now, 5*time.Minute, day.AddDate(-1, 0, 0), hour.AddDate(-1, 0, 0), minute.AddDate(-1, 0, 0)),
			"BTC-USD/1d 2017-03-29 2018-04-05; BTC-USD/1h 2017-04-04T15:00 2018-04-05T15:00; BTC-USD/1m 2018-03-15T19:31 2018-04-05T15:30",
			2 + 30 + 100,
		},
		"a bar of the future":             {future, "BTC-USD/1d 2018-03-29 2018-04-05; BTC-USD/1h 2018-04-04T15:00 2018-04-05T15:00; BTC-USD/1m 2018-04-05T14:25 2018-04-05T15:30", 3},
		"a bar of the future, and behind": {late, "BTC-USD/1d 2018-03-29 2018-04-05; BTC-USD/1h 2018-04-04T05:00 2018-04-05T15:00; BTC-USD/1m 2018-04-05T04:30 2018-04-05T15:30", 5},
		"a bar of the future, no receipt": {unloaded, upToDate, 3},
	} {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 9*60*60+30*60)} {
			list := understand(t, source(t, "BTC-USD").Next(c.have, nil, now.In(zone)), now)
			if got := summary(list); got != c.want || len(list) != c.requests {
				t.Errorf("%s: got %d requests %s, want %d %s", name, len(list), got, c.requests, c.want)
			}
		}
		if again := source(t, "BTC-USD").Next(c.have, []string{"BTC-USD/1d"}, now); again != nil {
			t.Errorf("%s: the run goes on with %v", name, again)
		}
	}
}

// TestNextOrder: days of all products come before hours, those before minutes.
func TestNextOrder(t *testing.T) {
	var order []string
	for _, r := range source(t, "ETH-USD", "BTC-USD").Next(market.Coverage{}, nil, time.Now()) {
		order = append(order, r.Resource)
	}
	want := []string{"ETH-USD/1d", "BTC-USD/1d", "ETH-USD/1h", "BTC-USD/1h", "ETH-USD/1m", "BTC-USD/1m"}
	if got := slices.Compact(order); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// days returns what a run asks of the days of BTC-USD. Of its hours and minutes it asks
// for one window each.
func days(t *testing.T, have market.Coverage, now time.Time) string {
	t.Helper()
	list := understand(t, source(t, "BTC-USD", "ETH-USD").Next(have, nil, now), now)
	list = slices.DeleteFunc(list, func(a asked) bool { return strings.HasPrefix(a.resource, "ETH") })
	daily, others := list[:len(list)-2], list[len(list)-2:]
	if others[0].resource != "BTC-USD/1h" || others[1].resource != "BTC-USD/1m" {
		t.Errorf("hours and minutes: got %s", summary(list))
	}
	return summary(daily)
}

func TestNextFillsHoles(t *testing.T) {
	now := time.Date(2018, 4, 5, 0, 5, 0, 0, time.UTC)
	today := market.DateOf(now)
	without := func(missing ...market.Date) (days []market.Date) {
		for d := market.NewDate(2016, 1, 1); d <= today; d++ {
			if !slices.Contains(missing, d) {
				days = append(days, d)
			}
		}
		return days
	}
	old := market.NewDate(2016, 2, 1)
	// The newest day is today's in the store of a run today, else yesterday's.
	const today7, yesterday7 = "BTC-USD/1d 2018-03-29 2018-04-05", "BTC-USD/1d 2018-03-28 2018-04-05"
	for name, c := range map[string]struct {
		days, held []market.Date
		ago        time.Duration
		want       string
	}{
		"none":                        {without(), nil, 6 * time.Minute, yesterday7},
		"one":                         {without(old), nil, 6 * time.Minute, yesterday7 + "; BTC-USD/1d 2016-02-01 2016-02-01"},
		"one, in a later run":         {without(old), nil, 5 * time.Minute, today7},
		"one, never loaded":           {without(old), nil, 0, today7 + "; BTC-USD/1d 2016-02-01 2016-02-01"},
		"in quarantine":               {without(), []market.Date{old}, time.Hour, yesterday7 + "; BTC-USD/1d 2016-02-01 2016-02-01"},
		"within the overlap":          {without(today-2, today-8), []market.Date{today - 3}, time.Hour, yesterday7},
		"the day before it":           {without(today - 9), nil, time.Hour, yesterday7 + "; BTC-USD/1d 2018-03-27 2018-03-27"},
		"in one window":               {without(old, old+299), nil, time.Hour, yesterday7 + "; BTC-USD/1d 2016-02-01 2016-11-26"},
		"in two windows":              {without(old, old+10, old+301), nil, time.Hour, yesterday7 + "; BTC-USD/1d 2016-02-01 2016-02-11; BTC-USD/1d 2016-11-28 2016-11-28"},
		"in windows that touch":       {without(old, old+299, old+300), nil, time.Hour, yesterday7 + "; BTC-USD/1d 2016-02-01 2016-11-27"},
		"a day of the future is held": {without(), []market.Date{today + 9}, time.Hour, yesterday7},
	} {
		have := known(now, c.ago, now.Add(-c.ago).Truncate(24*time.Hour), now, now)
		have.Days, have.Holes = map[string][]market.Date{"BTC-USD": c.days}, map[market.SeriesKey][]time.Time{}
		for _, day := range c.held {
			key := market.SeriesKey{Symbol: "BTC-USD", Interval: market.Day}
			have.Holes[key] = append(have.Holes[key], day.Time())
		}
		if c.ago == 0 {
			have.Fetched = nil
		}
		if got := days(t, have, now); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	// Of hours and minutes only what is in quarantine is known to be missing.
	hour, minute := now.Add(-72*time.Hour).Truncate(time.Hour), now.Add(-5*time.Hour).Truncate(time.Minute)
	held := known(now, 0, now, now, now)
	held.Days, held.Fetched = map[string][]market.Date{"BTC-USD": without()}, nil
	held.Holes = map[market.SeriesKey][]time.Time{
		{Symbol: "BTC-USD", Interval: market.Hour}: {hour, now.Truncate(time.Hour)}, {Symbol: "BTC-USD", Interval: market.Minute}: {minute},
	}
	got := summary(understand(t, source(t, "BTC-USD").Next(held, nil, now), now))
	for _, window := range []string{"BTC-USD/1h 2018-04-02T00:00 2018-04-02T00:00", "BTC-USD/1m 2018-04-04T19:05 2018-04-04T19:05"} {
		if !strings.Contains(got, window) {
			t.Errorf("%s is not asked for in %s", window, got)
		}
	}
	// Days are those of UTC, wherever the clock stands.
	have := known(now, 0, now.AddDate(0, 0, 2), now, now)
	have.Days, have.Fetched = map[string][]market.Date{"BTC-USD": without(today - 8)}, nil
	want := today7 + "; BTC-USD/1d 2018-03-28 2018-03-28"
	if got := days(t, have, now.In(time.FixedZone("", -8*60*60))); got != want {
		t.Errorf("in the west: got %s, want %s", got, want)
	}
}
