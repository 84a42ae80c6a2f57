package ingest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb/ecbtest"
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

func (b *bench) gaps() (list []string) {
	b.t.Helper()
	have, err := b.Gaps(b.t.Context(), b.source)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, g := range have.Gaps {
		list = append(list, fmt.Sprintf("%s %s %s %s", g.Kind, g.Day, g.Held.Symbol, g.Held.Raw))
	}
	return list
}
