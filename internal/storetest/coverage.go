package storetest

import (
	"fmt"
	"testing"
	"time"

	"bourse/internal/market"
)

// joint publishes all its instruments together; apart each for itself.
var (
	joint = market.Source{Name: "ecb", Joint: true}
	apart = market.Source{Name: "ecb"}
)

func (b *bench) coverage(source market.Source) market.Coverage {
	b.t.Helper()
	c, err := b.Coverage(b.t.Context(), source)
	b.ok(err)
	return c
}

// hole is a daily value that was held back.
func hole(symbol, date string) market.Quarantined {
	return market.Quarantined{
		Source: "ecb", Symbol: symbol, Interval: market.Day, Start: day(date).Time(), Raw: "NaN", Reason: "no number",
	}
}

func coverage(t *testing.T, b *bench) {
	for _, source := range []market.Source{joint, apart} {
		c := b.coverage(source)
		b.same("of an empty store", fmt.Sprint(c), fmt.Sprint(market.Coverage{}))
		if c.Days == nil || c.Holes == nil || c.Latest == nil || c.Fetched == nil || c.Asked == nil {
			t.Error("a map of what is empty is none")
		}
	}
	// 2 March is a Monday; 4 March is missing for all, 5 March for one.
	batch := b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-03", "2", "2026-03-05", "3"), series("EURJPY", "2026-03-02", "1"))
	batch.Quarantine = []market.Quarantined{hole("EURJPY", "2026-03-05")}
	b.load(batch)
	c := b.coverage(joint)
	b.same("days", fmt.Sprint(c.Days), "map[:[2026-03-02 2026-03-03 2026-03-05]]")
	b.same("holes", fmt.Sprint(c.Holes), "map[{ 1d}:[2026-03-05 00:00:00 +0000 UTC]]")
	b.same("missing", fmt.Sprint(c.Missing("", market.TARGET, day("2026-03-06"))), "[2026-03-04 2026-03-05 2026-03-06]")
	b.load(b.payload(series("EURJPY", "2026-03-05", "1")))
	b.same("holes once filled", len(b.coverage(joint).Holes), 0)
	b.same("of another source", fmt.Sprint(b.coverage(market.Source{Name: "nobody", Joint: true})), fmt.Sprint(market.Coverage{}))
}

func coverageBySymbol(_ *testing.T, b *bench) {
	batch := b.payload(
		series("EURUSD", "2026-03-02", "1", "2026-03-03", "2", "2026-03-05", "3"), series("EURJPY", "2026-03-02", "1"), series("EURGBP"))
	batch.Quarantine = []market.Quarantined{hole("EURJPY", "2026-03-06"), hole("EURJPY", "2026-03-03"), hole("EURUSD", "2026-03-04"), hole("EURXXX", "2026-03-02")}
	b.load(batch)
	b.load(b.payload(series("EURUSD", "2026-02-27", "1", "2026-03-04", "1")))
	c := b.coverage(apart)
	b.same("days", fmt.Sprint(c.Days), "map[EURJPY:[2026-03-02] EURUSD:[2026-02-27 2026-03-02 2026-03-03 2026-03-04 2026-03-05]]")
	b.same("holes", fmt.Sprint(c.Holes), "map[{EURJPY 1d}:[2026-03-03 00:00:00 +0000 UTC 2026-03-06 00:00:00 +0000 UTC] {EURXXX 1d}:[2026-03-02 00:00:00 +0000 UTC]]")
	b.same("missing of one", fmt.Sprint(c.Missing("EURUSD", market.TARGET, day("2026-03-05"))), "[]")
	b.same("missing of another", fmt.Sprint(c.Missing("EURJPY", market.TARGET, day("2026-03-04"))), "[2026-03-03 2026-03-04]")
}

func coverageOfSeries(_ *testing.T, b *bench) {
	intraday := func(interval market.Interval, step time.Duration, closes ...string) market.Series {
		s := market.Series{Symbol: "EURUSD", Interval: interval}
		for i, text := range closes {
			bar := market.Fixing(day("2026-03-03"), price(text))
			bar.Start = bar.Start.Add(time.Duration(i) * step)
			s.Bars = append(s.Bars, bar)
		}
		return s
	}
	batch := b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-03", "2"), series("EURJPY", "2026-03-02", "9"))
	batch.Series = append(batch.Series, intraday(market.Hour, time.Hour, "3", "4"), intraday(market.Minute, time.Minute, "5", "6", "7"))
	b.load(batch)
	older := b.payload(series("EURUSD", "2026-02-27", "1"))
	older.Payload.Resource = "older.csv"
	b.load(older)
	useless := b.payload().Payload
	b.ok(b.SavePayload(b.t.Context(), useless))
	page := b.payload().Payload
	page.Resource = "error page"
	b.ok(b.SavePayload(b.t.Context(), page))
	for _, source := range []market.Source{joint, apart} {
		c := b.coverage(source)
		b.same("series", len(c.Latest), 4)
		for key, want := range map[market.SeriesKey]string{
			{Symbol: "EURUSD", Interval: market.Day}:    "2 at 03-03 00:00",
			{Symbol: "EURUSD", Interval: market.Hour}:   "4 at 03-03 01:00",
			{Symbol: "EURUSD", Interval: market.Minute}: "7 at 03-03 00:02",
			{Symbol: "EURJPY", Interval: market.Day}:    "9 at 03-02 00:00",
		} {
			bar := c.Latest[key]
			b.same(fmt.Sprint("latest of ", key), bar.Close.String()+" at "+bar.Start.Format("01-02 15:04"), want)
		}
		b.same("fetched", fmt.Sprint(c.Fetched), fmt.Sprint(map[string]time.Time{
			"rates.csv": batch.Payload.ReceivedAt, "older.csv": older.Payload.ReceivedAt,
		}))
		b.same("asked", fmt.Sprint(c.Asked), fmt.Sprint(map[string]time.Time{
			"rates.csv": useless.ReceivedAt, "older.csv": older.Payload.ReceivedAt, "error page": page.ReceivedAt,
		}))
	}
	p, err := b.Payload(b.t.Context(), page.SHA256)
	b.ok(err)
	b.same("useless payload", p.Resource, "error page")
}
