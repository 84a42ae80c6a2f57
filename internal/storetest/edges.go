package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/market"
)

// anyText: what a source or a request says can be any bytes, of any length.
func anyText(t *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1")))
	ctx := t.Context()
	for _, odd := range []string{"EUR\x00", "\xff", "%", "_", "'", `\`, "EURUSD\x00", strings.Repeat("EUR", 5000)} {
		list, err := b.Instruments(ctx, market.InstrumentQuery{Text: odd, Limit: 10})
		b.ok(err)
		b.same("instruments", len(list), 0)
		list, err = b.Instruments(ctx, market.InstrumentQuery{Source: odd, Limit: 10})
		b.ok(err)
		b.same("instruments of a source", len(list), 0)
		_, err = b.Instrument(ctx, odd)
		b.same("instrument", errors.Is(err, market.ErrNotFound), true)
		_, err = b.Bars(ctx, market.BarQuery{Symbol: odd, Interval: market.Day, Limit: 1})
		b.same("bars", errors.Is(err, market.ErrNotFound), true)
		_, err = b.Payload(ctx, odd)
		b.same("payload", errors.Is(err, market.ErrNotFound), true)
		b.ok(b.FinishRun(ctx, market.Run{ID: b.run, Source: "ecb", Finished: b.now, Outcome: market.Permanent, Error: odd}, b.now))
	}
	run := b.begin("ecb")
	b.run = run
	batch := b.payload(series("EURUSD", "2026-03-03", "1"))
	for _, raw := range []string{"\x00", "\xff\xfe", "", strings.Repeat("long ", 5000), strings.Repeat("long ", 5000) + "er"} {
		batch.Quarantine = append(batch.Quarantine, market.Quarantined{
			Source: "ecb", Symbol: "EURUSD", Interval: market.Day, Raw: raw, Reason: "no number: " + strings.Repeat("!", 5000),
		})
	}
	b.same("rejected", b.load(batch).Rejected, 5)
	list, err := b.Quarantine(ctx, market.RecordQuery{Limit: 10})
	b.ok(err)
	for i, q := range list {
		b.same("raw", q.Raw, batch.Quarantine[len(list)-1-i].Raw)
		b.same("start", q.Start.IsZero(), true)
	}
	batch = b.payload(series("EURUSD", "2026-03-03", "1"))
	batch.Quarantine = []market.Quarantined{{Source: "ecb", Symbol: "EURUSD", Interval: market.Day, Raw: "\x00", Reason: "another"}}
	b.same("for another reason", b.load(batch).Rejected, 1)
}

// between loads a payload whose range the store has in part.
func between(_ *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-04", "3", "2026-03-06", "5"), series("EURJPY", "2026-03-02", "9")))
	mixed := b.payload(
		series("EURUSD", "2026-03-03", "2", "2026-03-04", "3.5", "2026-03-05", "4", "2026-03-06", "5", "2026-03-09", "6"),
		series("EURJPY"), series("EURGBP", "2026-03-02", "7"), series("EURJPY", "2026-03-03", "9"))
	mixed.Series = append(mixed.Series[:1], mixed.Series[2:]...)
	b.same("counts", b.load(mixed), market.Counts{Bars: 7, Inserted: 5, Revised: 1, Unchanged: 1})
	b.same("bars", b.closes("EURUSD", time.Time{}), "03-02=1 03-03=2 03-04=3.5 03-05=4 03-06=5 03-09=6")
	b.same("before", b.closes("EURUSD", mixed.Payload.ReceivedAt.Add(-time.Second)), "03-02=1 03-04=3 03-06=5")
	b.same("a series without an overlap", b.closes("EURJPY", time.Time{}), "03-02=9 03-03=9")
	b.same("a new series", b.closes("EURGBP", time.Time{}), "03-02=7")
	i, err := b.Instrument(b.t.Context(), "EURUSD")
	b.ok(err)
	b.same("last", i.Last, day("2026-03-09").Time())
}

// lateHistory loads older payloads over newer ones whose bars have volumes, or none.
func lateHistory(_ *testing.T, b *bench) {
	minute := func(at time.Time, volumes ...string) market.Batch {
		s := market.Series{Symbol: "EURUSD", Interval: market.Minute}
		for i, v := range volumes {
			bar := market.Fixing(day("2026-03-02"), price("9"))
			bar.Start = bar.Start.Add(time.Duration(i) * time.Minute)
			if bar.Provisional = v == ""; !bar.Provisional {
				bar.Volume.Decimal, bar.Volume.Valid = price(v), true
			}
			s.Bars = append(s.Bars, bar)
		}
		batch := b.payloadAt(at, series("EURUSD"))
		batch.Series = []market.Series{s}
		return batch
	}
	at := func(i int) time.Time { return b.now.Add(time.Duration(i) * time.Hour) }
	b.same("newest", b.load(minute(at(5), "5", "5", "", "5")), market.Counts{Bars: 4, Inserted: 4})
	b.same("older", b.load(minute(at(1), "1", "5", "1", "")), market.Counts{Bars: 4, Revised: 3, Unchanged: 1})
	b.same("between", b.load(minute(at(3), "1", "4", "", "", "7")), market.Counts{Bars: 5, Inserted: 1, Revised: 1, Unchanged: 3})
	// The second minute was confirmed by the older payload, which leaves no trace of the
	// newest: what was received between them counts as newer.
	want := []string{"5@5 1@1", "4@3 5@1", "~@3 1@1", "5@5 ~@1", "7@3"}
	for i := range want {
		versions, err := b.Versions(b.t.Context(), "EURUSD", market.Minute, day("2026-03-02").Time().Add(time.Duration(i)*time.Minute))
		b.ok(err)
		var got []string
		for _, v := range versions {
			volume := "~"
			if v.Volume.Valid {
				volume = v.Volume.Decimal.String()
			}
			got = append(got, fmt.Sprintf("%s@%d", volume, int(v.KnownAt.Sub(b.now).Hours())))
		}
		b.same(fmt.Sprintf("versions of minute %d", i), strings.Join(got, " "), want[i])
	}
}

// instants keeps times to the microsecond, and bars from before 1970.
func instants(_ *testing.T, b *bench) {
	batch := b.payload(series("EURUSD", "1953-02-27", "1", "1969-12-31", "2", "1970-01-02", "3"))
	exact := b.now.Add(123456 * time.Microsecond)
	batch.Payload.ReceivedAt = exact.Add(789)
	b.load(batch)
	v, err := b.Versions(b.t.Context(), "EURUSD", market.Day, day("1969-12-31").Time())
	b.ok(err)
	b.same("known at", v[0].KnownAt, exact)
	b.same("then", b.closes("EURUSD", exact), "02-27=1 12-31=2 01-02=3")
	b.same("a microsecond before", b.closes("EURUSD", exact.Add(-time.Microsecond)), "")
	b.same("again", b.load(batch), market.Counts{Bars: 3, Unchanged: 3})
}

// ownSymbol keeps a source from writing into the series of another.
func ownSymbol(t *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1")))
	other := b.payload(series("EURAAA", "2026-03-02", "2"), series("EURUSD", "2026-03-02", "2"))
	other.Payload.RunID = b.begin("coinbase")
	other.Payload.Source, other.Instruments[0].Source, other.Instruments[1].Source = "coinbase", "coinbase", "coinbase"
	if _, err := b.Load(t.Context(), other, accept); err == nil {
		t.Error("a symbol of another source was loaded")
	}
	b.same("bars", b.closes("EURUSD", time.Time{}), "03-02=1")
	_, err := b.Instrument(t.Context(), "EURAAA")
	b.same("the other series", errors.Is(err, market.ErrNotFound), true)
}

// realOrSimulated loads simulated and real bars at once, from two handles.
func realOrSimulated(t *testing.T, b *bench) {
	invented := b.payload(series("SIM-EURUSD", "2026-03-02", "1"))
	invented.Payload.Source, invented.Payload.RunID, invented.Instruments[0].Source = market.Simulated, b.begin(market.Simulated), market.Simulated
	actual := b.payload(series("EURUSD", "2026-03-02", "1"))
	other := b.reopen()
	var wg sync.WaitGroup
	wg.Go(func() {
		// It comes first and is dropped, or it is refused: then its run may be gone too.
		if _, err := other.Load(t.Context(), invented, accept); err != nil && !errors.Is(err, market.ErrRealData) {
			t.Logf("simulated: %v", err)
		}
	})
	wg.Go(func() {
		if _, err := b.Load(t.Context(), actual, accept); err != nil {
			t.Errorf("real: %v", err)
		}
	})
	wg.Wait()
	list, err := b.Instruments(t.Context(), market.InstrumentQuery{Limit: 10})
	b.ok(err)
	b.same("instruments", len(list), 1)
	b.same("source", list[0].Source, "ecb")
}

// readDuring reads from another handle while a load is about to commit.
func readDuring(t *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1")))
	other := b.reopen()
	_, err := b.Load(t.Context(), b.payload(series("EURUSD", "2026-03-02", "2", "2026-03-03", "2")), func(market.Counts) error {
		bars, err := other.Bars(t.Context(), market.BarQuery{Symbol: "EURUSD", Interval: market.Day, Limit: 10})
		b.same("meanwhile", written(bars), "03-02=1")
		return err
	})
	b.ok(err)
	b.same("after", b.closes("EURUSD", time.Time{}), "03-02=2 03-03=2")
}
