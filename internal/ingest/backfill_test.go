package ingest_test

import (
	"os"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/source/simulated"
	"bourse/internal/storetest"
)

// TestBackfill: it fetches the shortest file that reaches back, whatever the store has,
// and writes nothing the second time.
func TestBackfill(t *testing.T) {
	f := newFeed(t)
	now := f.Newest().At(17*time.Hour, time.UTC)
	older := 0 // values that only the history has
	for _, day := range market.TARGET.Days(market.NewDate(2024, 1, 2), f.Newest()-91) {
		for _, currency := range []string{"USD", "JPY", "GBP", "CHF", "ISK", ecbtest.Ended} {
			if f.Rate(currency, day) != "" {
				older++
			}
		}
	}
	var told []ingest.Progress
	b := newBench(t, t.TempDir(), f.url, func(c *ingest.Config) {
		c.Now = func() time.Time { return now }
		c.Progress = func(p ingest.Progress) { told = append(told, p) }
	})
	for _, c := range []struct {
		from     market.Date
		asked    string
		inserted int
	}{
		{f.Newest(), "daily.xml", 5},
		{f.Newest() - 30, "hist-90d.xml", 61 * 5},
		{f.Newest() - 90, "hist.zip", older},
		{0, "hist.zip", 0},
	} {
		for _, inserted := range []int{c.inserted, 0} { // the second time nothing
			run, err := b.Backfill(t.Context(), b.source, c.from, f.Newest())
			if err != nil {
				t.Fatal(err)
			}
			b.check(run)
			expect(t, "outcome", run.Outcome, market.OK)
			expect(t, "trigger", run.Trigger, "backfill")
			expect(t, "asked from "+c.from.String(), f.took(), c.asked)
			expect(t, "inserted from "+c.from.String(), run.Inserted, inserted)
			expect(t, "other writes", run.Revised+run.Rejected+run.Flagged, 0)
		}
	}
	expect(t, "told of", len(told), 8)
	storetest.Check(t.Context(), t, b.store)
	findings, _ := b.verify()
	expect(t, "findings", len(findings), 0)
	run, err := b.Backfill(t.Context(), simulated.Source{}, 0, f.Newest())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "requests of a source without an upstream", run.Requests, 0)
}

// TestReplayGoesOnWithoutLostBytes: what is left of an archive is loaded, and the rest
// when it is back.
func TestReplayGoesOnWithoutLostBytes(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	day := f.Newest() - 3
	for _, rate := range []string{"1.2", "1.3"} {
		f.Set("USD", day, rate)
		b.update()
	}
	_, object := b.payload(window, 1)
	body, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(object); err != nil {
		t.Fatal(err)
	}
	told := 0
	again := newBench(t, t.TempDir(), f.url, func(c *ingest.Config) {
		c.Archive = b.archive
		c.Progress = func(ingest.Progress) { told++ }
	})
	for _, want := range []struct {
		outcome  market.Outcome
		payloads int
		versions int
	}{{market.NeedsPerson, 5, 2}, {market.OK, 6, 3}} {
		run, err := again.Replay(t.Context(), again.source, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		again.check(run)
		expect(t, "outcome", run.Outcome, want.outcome)
		expect(t, "payloads", run.Payloads, want.payloads)
		expect(t, "contents", again.contents(), b.contents())
		versions, err := again.store.Versions(t.Context(), "EURUSD", market.Day, day.Time())
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "versions", len(versions), want.versions)
		storetest.Check(t.Context(), t, again.store)
		if err := os.WriteFile(object, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "told of", told, 12)
}
