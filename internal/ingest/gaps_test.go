package ingest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/source/ecb/ecbtest"

	"github.com/govalues/decimal"
)

// TestGaps: holidays, ended currencies and days without a rate for one currency are no
// gaps; a day without any is, and so is a value in quarantine.
func TestGaps(t *testing.T) {
	hole, held := market.NewDate(2025, 3, 12), market.NewDate(2025, 3, 13)
	all := []string{"USD", "JPY", "GBP", "CHF", "ISK", ecbtest.Ended}
	for name, c := range map[string]struct {
		plant func(f *feed)
		now   string
		want  []string
	}{
		"nothing": {func(*feed) {}, "2026-03-02T17:00:00Z", nil},
		"N/A":     {func(f *feed) { f.Set("ISK", hole, "") }, "2026-03-02T17:00:00Z", nil},
		"a hole": {func(f *feed) {
			for _, currency := range all {
				f.Set(currency, hole, "")
			}
		}, "2026-03-02T17:00:00Z", []string{"day_missing 2025-03-12  "}},
		"a held value": {func(f *feed) { f.Set("USD", held, "NaN") }, "2026-03-02T17:00:00Z",
			[]string{"value_held 2025-03-13 EURUSD NaN"}},
		"a day of held values": {func(f *feed) {
			for _, currency := range all {
				f.Set(currency, hole, "")
			}
			f.Set("USD", hole, "-1")
		}, "2026-03-02T17:00:00Z", []string{"day_missing 2025-03-12  ", "value_held 2025-03-12 EURUSD -1"}},
		"before the publication": {func(*feed) {}, "2026-03-03T14:00:00Z", nil},
		"after the publication":  {func(*feed) {}, "2026-03-03T16:00:00Z", []string{"day_missing 2026-03-03  "}},
		"over a weekend":         {func(*feed) {}, "2026-03-08T12:00:00Z", []string{"day_missing 2026-03-03  ", "day_missing 2026-03-04  ", "day_missing 2026-03-05  ", "day_missing 2026-03-06  "}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			c.plant(f)
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, t.TempDir(), f.url, func(cfg *ingest.Config) { cfg.Now = func() time.Time { return now } })
			expect(t, "before there is anything", fmt.Sprint(b.gaps()), "[no_data 1970-01-01  ]")
			b.update()
			if got := b.gaps(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestGapIsClosed: a held value that was replaced is no gap any more.
func TestGapIsClosed(t *testing.T) {
	f := newFeed(t)
	now := time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	b := newBench(t, t.TempDir(), f.url, func(c *ingest.Config) { c.Now = func() time.Time { return now } })
	day := market.NewDate(2025, 3, 13)
	good := f.Rate("USD", day)
	f.Set("USD", day, "0")
	f.Set("GBP", day, "?")
	b.update()
	expect(t, "gaps", fmt.Sprint(b.gaps()), "[value_held 2025-03-13 EURUSD 0 value_held 2025-03-13 EURGBP ?]")
	f.Set("USD", day, good)
	if _, err := b.Backfill(t.Context(), b.source, day, day); err != nil {
		t.Fatal(err)
	}
	expect(t, "gaps", fmt.Sprint(b.gaps()), "[value_held 2025-03-13 EURGBP ?]")
}

// shares is a source of American shares, of which only the store is looked at.
type shares struct {
	ingest.Source
	info market.Source
}

func (s shares) Info() market.Source { return s.info }

func newShares() shares {
	return shares{info: market.Source{
		Name: "shares", Title: "shares", Licence: market.Internal, Calendar: market.XNYS,
		PublishAt: 18 * time.Hour, Zone: "America/New_York",
	}}
}

// load takes bars of a source into the store, and what is in quarantine for it.
func (b *bench) load(src shares, held []market.Quarantined, list ...market.Series) {
	b.t.Helper()
	at := time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC)
	run, err := b.store.StartRun(b.t.Context(), src.info, "manual", at)
	if err != nil {
		b.t.Fatal(err)
	}
	batch := market.Batch{Series: list, Quarantine: held, Payload: market.Payload{
		RunID: run, Source: src.info.Name, Resource: "all", URL: "https://example.com/all", Status: 200,
		ReceivedAt: at, SHA256: market.SHA256(nil), Size: 1,
	}}
	for _, s := range list {
		batch.Instruments = append(batch.Instruments, market.Instrument{
			Symbol: s.Symbol, Name: s.Symbol, Kind: market.Equity, Base: s.Symbol, Quote: "USD",
			Source: src.info.Name, Calendar: src.info.Calendar, Licence: src.info.Licence,
		})
	}
	if _, err := b.store.Load(b.t.Context(), batch, func(market.Counts) error { return nil }); err != nil {
		b.t.Fatal(err)
	}
}

func daily(symbol string, days ...market.Date) market.Series {
	s := market.Series{Symbol: symbol, Interval: market.Day}
	for _, d := range days {
		s.Bars = append(s.Bars, market.Fixing(d, decimal.One))
	}
	return s
}

// TestGapsByInstrument: each instrument is followed on its own, from its first day to the
// newest that is out, or to its end.
func TestGapsByInstrument(t *testing.T) {
	for name, c := range map[string]struct {
		now    string
		change func(*market.Source)
		want   []string
	}{
		"before the publication": {"2026-03-06T22:59:00Z", func(*market.Source) {}, []string{
			"no_data 1970-01-01 NEVER ", "value_held 2026-03-04 NEVER NaN",
			"day_missing 2026-02-05 SICK ", "value_held 2026-02-05 SICK NaN",
		}},
		"after the publication": {"2026-03-06T23:01:00Z", func(*market.Source) {}, []string{
			"no_data 1970-01-01 NEVER ", "value_held 2026-03-04 NEVER NaN",
			"day_missing 2026-03-06 OLD ",
			"day_missing 2026-02-05 SICK ", "value_held 2026-02-05 SICK NaN",
			"day_missing 2026-03-06 YOUNG ", "value_held 2026-03-06 YOUNG NaN",
		}},
		"of a source that never closes": {"2026-03-07T12:00:00Z", func(s *market.Source) {
			s.Calendar, s.Zone, s.PublishAt, s.Poll = market.EveryDay, "UTC", 0, time.Minute
		}, []string{
			"day_missing 2026-01-03 ENDED ", "day_missing 2026-01-04 ENDED ",
			"no_data 1970-01-01 NEVER ", "value_held 2026-03-04 NEVER NaN",
			"day_missing 2026-02-28 OLD ", "day_missing 2026-03-01 OLD ", "day_missing 2026-03-06 OLD ",
			"day_missing 2026-02-05 SICK ", "value_held 2026-02-05 SICK NaN",
			"day_missing 2026-03-06 YOUNG ", "value_held 2026-03-06 YOUNG NaN",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, t.TempDir(), "http://localhost", func(cfg *ingest.Config) { cfg.Now = func() time.Time { return now } })
			src := newShares()
			c.change(&src.info)
			expect(t, "before there is anything", fmt.Sprint(b.gapsOf(src).list), "[no_data 1970-01-01  ]")
			on := func(month time.Month, day int) market.Date { return market.NewDate(2026, month, day) }
			held := market.Quarantined{Source: src.info.Name, Interval: market.Day, Raw: "NaN", Reason: "no number"}
			young, never, sick := held, held, held
			young.Symbol, young.Start = "YOUNG", on(3, 6).Time()
			never.Symbol, never.Start = "NEVER", on(3, 4).Time()
			sick.Symbol, sick.Start = "SICK", on(2, 5).Time()
			b.load(src, []market.Quarantined{young, never, sick},
				daily("ENDED", market.XNYS.Days(on(1, 2), on(1, 9))...), // silent for eight weeks
				daily("SICK", on(2, 4)),
				daily("OLD", market.XNYS.Days(on(2, 25), on(3, 5))...),
				daily("YOUNG", on(3, 4), on(3, 5)),
			)
			have := b.gapsOf(src)
			if !slices.Equal(have.list, c.want) {
				t.Errorf("got %q, want %q", have.list, c.want)
			}
			expect(t, "days, first and newest", fmt.Sprint(have.Days, have.First, have.Newest), "14 2026-01-02 2026-03-05")
		})
	}
}

// TestGapsInSessions deletes days at random from the real sessions of SPY and finds just
// those, while the fund beside it, which has them all, has no gap.
func TestGapsInSessions(t *testing.T) {
	sessions := sessionsOf(t, "lean/equity/usa/daily/spy.zip")
	now := time.Date(2021, 3, 31, 23, 0, 0, 0, time.UTC)
	b := newBench(t, t.TempDir(), "http://localhost", func(c *ingest.Config) { c.Now = func() time.Time { return now } })
	r := rand.New(rand.NewPCG(4, 2))
	var left []market.Date
	var want []string
	for i, d := range sessions {
		if i > 0 && i < len(sessions)-1 && r.IntN(50) == 0 {
			want = append(want, fmt.Sprintf("day_missing %s SPY ", d))
			continue
		}
		left = append(left, d)
	}
	src := newShares()
	b.load(src, nil, daily("SPY", left...), daily("WHOLE", sessions...))
	have := b.gapsOf(src)
	if !slices.Equal(have.list, want) || len(want) == 0 {
		t.Errorf("got %q, want %q", have.list, want)
	}
	expect(t, "days", have.Days, len(sessions))
	t.Logf("%d of %d sessions deleted and found", len(want), len(sessions))
}

// sessionsOf reads the days of a file of bars such as "20210331 00:00,3947500,…".
func sessionsOf(t *testing.T, name string) (days []market.Date) {
	t.Helper()
	for _, row := range replaytest.Rows(t, name) {
		at, err := time.Parse("20060102 15:04", row[0])
		if err != nil {
			t.Fatal(err)
		}
		days = append(days, market.DateOf(at))
	}
	return days
}

func (b *bench) gaps() []string {
	b.t.Helper()
	return b.gapsOf(b.source).list
}

// found is what Gaps says, with the gaps as text.
type found struct {
	ingest.Coverage
	list []string
}

func (b *bench) gapsOf(src ingest.Source) (f found) {
	b.t.Helper()
	var err error
	if f.Coverage, err = b.Gaps(b.t.Context(), src); err != nil {
		b.t.Fatal(err)
	}
	for _, g := range f.Gaps {
		f.list = append(f.list, fmt.Sprintf("%s %s %s %s", g.Kind, g.Day, g.Symbol, g.Held.Raw))
	}
	return f
}
