package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/storetest"
)

// TestRecordedFeed follows the recorded feed over a day and a correction.
func TestRecordedFeed(t *testing.T) {
	upstream := replaytest.Start(t, "-now", "2026-04-09T15:30:00Z")
	b := newBench(t, t.TempDir(), upstream.ECB())
	expect(t, "newest", market.DateOf(b.update().Newest).String(), "2026-04-09")

	again := b.update()
	expect(t, "the same bytes write", again.Inserted+again.Revised+again.Rejected+again.Flagged, 0)
	before := b.contents()

	upstream.Advance("24h")
	next := b.update()
	expect(t, "a day later inserts", next.Inserted, 29)
	expect(t, "and revises", next.Revised, 0)
	expect(t, "newest", market.DateOf(next.Newest).String(), "2026-04-10")
	have, err := b.store.Coverage(t.Context(), b.source.Info())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the days added", fmt.Sprint(have.Days[""][len(have.Days[""])-2:]), "[2026-04-09 2026-04-10]")
	if b.contents() == before {
		t.Error("nothing was added")
	}

	asOf := time.Now().UTC()
	upstream.Break("ecb", "revision", "", 0)
	run := b.update()
	expect(t, "the correction revises", run.Revised, 1)
	expect(t, "and inserts", run.Inserted, 0)
	checkRevision(t, b, asOf)
	upstream.Mend()
	expect(t, "taken back, it revises", b.update().Revised, 1)
	storetest.Check(t.Context(), t, b.store)
}

// checkRevision finds the one value that was revised after a time and follows both of
// its versions to bytes that have them.
func checkRevision(t *testing.T, b *bench, asOf time.Time) {
	t.Helper()
	all, err := b.store.Instruments(t.Context(), market.InstrumentQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, i := range all {
		q := market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Limit: 10000}
		now, err := b.store.Bars(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		q.AsOf = asOf
		then, err := b.store.Bars(t.Context(), q)
		if err != nil || len(then) != len(now) {
			t.Fatal(len(then), len(now), err)
		}
		for n := range now {
			if now[n].Same(then[n]) {
				continue
			}
			found++
			versions, err := b.store.Versions(t.Context(), i.Symbol, market.Day, now[n].Start)
			if err != nil || len(versions) != 2 {
				t.Fatal(versions, err)
			}
			expect(t, "the new value", versions[0].Close, now[n].Close)
			expect(t, "the old value", versions[1].Close, then[n].Close)
			for _, v := range versions {
				body, err := b.archive.Get(t.Context(), "ecb", v.Payload.SHA256)
				if err != nil {
					t.Fatal(err)
				}
				batch, err := b.source.Parse(v.Payload, body)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, "the value in the bytes", closeOf(batch, i.Symbol, market.DateOf(v.Start)), v.Close)
				if strings.HasSuffix(v.Payload.Resource, ".xml") && !strings.Contains(string(body), v.Close.String()) {
					t.Errorf("the bytes do not have %s", v.Close)
				}
			}
		}
	}
	expect(t, "revised values", found, 1)
}
