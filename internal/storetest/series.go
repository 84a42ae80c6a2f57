package storetest

import (
	"errors"
	"testing"
	"time"

	"bourse/internal/market"
)

func firstLoad(_ *testing.T, b *bench) {
	counts := b.load(b.payload(series("EURUSD", "2026-03-02", "1.1684", "2026-03-03", "1.17"), series("EURJPY", "2026-03-02", "186.75")))
	b.same("counts", counts, market.Counts{Bars: 3, Inserted: 3})
	b.same("bars", b.closes("EURUSD", time.Time{}), "03-02=1.1684 03-03=1.17")
	i, err := b.Instrument(b.t.Context(), "EURUSD")
	b.ok(err)
	b.same("first", i.First, day("2026-03-02").Time())
	b.same("last", i.Last, day("2026-03-03").Time())
	b.same("name", i.Name, "name of EURUSD")
}

func sameAgain(_ *testing.T, b *bench) {
	s := series("EURUSD", "2026-03-02", "1.1684", "2026-03-03", "1.17")
	b.load(b.payload(s))
	before, err := b.Versions(b.t.Context(), "EURUSD", market.Day, day("2026-03-02").Time())
	b.ok(err)
	for range 3 {
		b.same("counts", b.load(b.payload(s)), market.Counts{Bars: 2, Unchanged: 2})
	}
	after, err := b.Versions(b.t.Context(), "EURUSD", market.Day, day("2026-03-02").Time())
	b.ok(err)
	b.same("versions", len(after), 1)
	b.same("known at", after[0].KnownAt, before[0].KnownAt)
	b.same("payload", after[0].Payload.SHA256, before[0].Payload.SHA256)
}

func correction(_ *testing.T, b *bench) {
	first := b.payload(series("EURUSD", "2026-03-02", "1.1684", "2026-03-03", "1.17"))
	b.load(first)
	second := b.payload(series("EURUSD", "2026-03-02", "1.1685", "2026-03-03", "1.17"))
	b.same("counts", b.load(second), market.Counts{Bars: 2, Revised: 1, Unchanged: 1})
	b.same("now", b.closes("EURUSD", time.Time{}), "03-02=1.1685 03-03=1.17")
	b.same("between", b.closes("EURUSD", second.Payload.ReceivedAt.Add(-time.Second)), "03-02=1.1684 03-03=1.17")
	b.same("at the correction", b.closes("EURUSD", second.Payload.ReceivedAt), "03-02=1.1685 03-03=1.17")
	b.same("before anything", b.closes("EURUSD", first.Payload.ReceivedAt.Add(-time.Second)), "")
	v, err := b.Versions(b.t.Context(), "EURUSD", market.Day, day("2026-03-02").Time())
	b.ok(err)
	b.same("versions", len(v), 2)
	b.same("new payload", v[0].Payload.SHA256, second.Payload.SHA256)
	b.same("old payload", v[1].Payload.SHA256, first.Payload.SHA256)
	b.same("old value", v[1].Close.String(), "1.1684")
}

// eitherOrder loads three snapshots in every order: what was known when depends on
// when they were received.
func eitherOrder(_ *testing.T, b *bench) {
	begin := b.now
	for n, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		symbol := "EUR" + string(rune('A'+n)) + "AA"
		snapshots := []market.Series{
			series(symbol, "2026-03-02", "1", "2026-03-03", "5"),
			series(symbol, "2026-03-02", "2", "2026-03-03", "5", "2026-03-04", "7"),
			series(symbol, "2026-03-02", "3", "2026-03-03", "5", "2026-03-04", "8"),
		}
		at := func(i int) time.Time { return begin.Add(time.Duration(10*n+i+1) * time.Hour) }
		for _, i := range order {
			b.load(b.payloadAt(at(i), snapshots[i]))
		}
		b.same("first", b.closes(symbol, at(0)), "03-02=1 03-03=5")
		b.same("second", b.closes(symbol, at(1)), "03-02=2 03-03=5 03-04=7")
		b.same("third", b.closes(symbol, at(2)), "03-02=3 03-03=5 03-04=8")
		b.same("now", b.closes(symbol, time.Time{}), "03-02=3 03-03=5 03-04=8")
		for _, i := range order {
			counts := b.load(b.payloadAt(at(i), snapshots[i]))
			b.same("replayed", counts.Inserted+counts.Revised, 0)
		}
	}
}

func confirmed(_ *testing.T, b *bench) {
	s := series("EURUSD", "2026-03-02", "1.1684")
	late := b.payload(s)
	later := b.payload(s)
	b.load(later)
	b.load(late)
	v, err := b.Versions(b.t.Context(), "EURUSD", market.Day, day("2026-03-02").Time())
	b.ok(err)
	b.same("versions", len(v), 1)
	b.same("known at", v[0].KnownAt, late.Payload.ReceivedAt)
}

var errRefused = errors.New("refused")

func refused(_ *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1.1684")))
	batch := b.payload(series("EURUSD", "2026-03-02", "9"), series("EURJPY", "2026-03-02", "9"))
	var seen market.Counts
	_, err := b.Load(b.t.Context(), batch, func(c market.Counts) error {
		seen = c
		return errRefused
	})
	b.same("error", errors.Is(err, errRefused), true)
	b.same("counts", seen, market.Counts{Bars: 2, Inserted: 1, Revised: 1})
	b.same("bars", b.closes("EURUSD", time.Time{}), "03-02=1.1684")
	_, err = b.Instrument(b.t.Context(), "EURJPY")
	b.same("instrument", errors.Is(err, market.ErrNotFound), true)
	_, err = b.Payload(b.t.Context(), batch.Payload.SHA256)
	b.same("payload", errors.Is(err, market.ErrNotFound), true)
}

func halfWay(t *testing.T, b *bench) {
	batch := b.payload(series("EURUSD", "2026-03-02", "1.1684"))
	batch.Series = append(batch.Series, series("EURXXX", "2026-03-02", "1")) // of no instrument
	if _, err := b.Load(t.Context(), batch, accept); err == nil {
		t.Error("a series without an instrument was loaded")
	}
	_, err := b.Instrument(t.Context(), "EURUSD")
	b.same("instrument", errors.Is(err, market.ErrNotFound), true)
}

func ranges(_ *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-03", "2", "2026-03-04", "3", "2026-03-05", "4")))
	b.load(b.payload(series("EURUSD", "2026-03-03", "2.5")))
	from, to := day("2026-03-03").Time(), day("2026-03-05").Time()
	asOf := b.now.Add(-time.Minute)
	for want, q := range map[string]market.BarQuery{
		"03-03=2.5 03-04=3":                 {From: from, To: to, Limit: 10},
		"03-04=3 03-03=2.5":                 {From: from, To: to, Limit: 10, Descending: true},
		"03-03=2.5 03-04=3 03-05=4":         {From: from, Limit: 10},
		"03-02=1":                           {To: from, Limit: 10},
		"03-05=4":                           {Descending: true, Limit: 1},
		"03-02=1 03-03=2.5":                 {Limit: 2},
		"03-03=2 03-04=3":                   {From: from, To: to, AsOf: asOf, Limit: 10},
		"03-05=4 03-04=3 03-03=2":           {AsOf: asOf, Limit: 3, Descending: true},
		"":                                  {From: to, To: from, Limit: 10},
		"03-02=1 03-03=2.5 03-04=3 03-05=4": {AsOf: b.now, Limit: 10},
	} {
		q.Symbol, q.Interval = "EURUSD", market.Day
		bars, err := b.Bars(b.t.Context(), q)
		b.ok(err)
		b.same("bars", written(bars), want)
	}
}

func absent(t *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1")))
	ctx := t.Context()
	for what, f := range map[string]func() error{
		"instrument": func() error { _, err := b.Instrument(ctx, "EURXXX"); return err },
		"bars": func() error {
			_, err := b.Bars(ctx, market.BarQuery{Symbol: "EURXXX", Interval: market.Day, Limit: 1})
			return err
		},
		"versions of an instrument": func() error {
			_, err := b.Versions(ctx, "EURXXX", market.Day, day("2026-03-02").Time())
			return err
		},
		"versions of a day": func() error {
			_, err := b.Versions(ctx, "EURUSD", market.Day, day("2026-03-03").Time())
			return err
		},
		"payload": func() error { _, err := b.Payload(ctx, market.SHA256(nil)); return err },
	} {
		if err := f(); !errors.Is(err, market.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", what, err)
		}
	}
}

func intervals(_ *testing.T, b *bench) {
	minute := market.Series{Symbol: "EURUSD", Interval: market.Minute}
	for i := range 3 {
		bar := market.Fixing(day("2026-03-02"), price("9"))
		bar.Start = bar.Start.Add(time.Duration(i) * time.Minute)
		bar.High, bar.Low, bar.Provisional = price("10"), price("8.5"), i == 2
		bar.Volume.Decimal, bar.Volume.Valid = price("12.25"), i > 0
		minute.Bars = append(minute.Bars, bar)
	}
	batch := b.payload(series("EURUSD", "2026-03-02", "1"))
	batch.Series = append(batch.Series, minute)
	b.same("counts", b.load(batch), market.Counts{Bars: 4, Inserted: 4})
	b.same("daily", b.closes("EURUSD", time.Time{}), "03-02=1")
	bars, err := b.Bars(b.t.Context(), market.BarQuery{Symbol: "EURUSD", Interval: market.Minute, Limit: 10})
	b.ok(err)
	b.same("minutes", len(bars), 3)
	for i, bar := range bars {
		b.same("start", bar.Start.Equal(minute.Bars[i].Start), true)
		b.same("bar", bar.Same(minute.Bars[i]), true)
	}
	// A bar that is no longer provisional is a change.
	minute.Bars = minute.Bars[2:]
	minute.Bars[0].Provisional = false
	batch = b.payload(series("EURUSD", "2026-03-02", "1"))
	batch.Series = []market.Series{minute}
	b.same("counts", b.load(batch), market.Counts{Bars: 1, Revised: 1})
	i, err := b.Instrument(b.t.Context(), "EURUSD")
	b.ok(err)
	b.same("last day", i.Last, day("2026-03-02").Time())
}

func digits(_ *testing.T, b *bench) {
	for i, text := range []string{"0.0000000000000000001", "9999999999999999999", "1.000000000000000001", "299.83536210316964", "0.1"} {
		symbol := "EUR" + string(rune('A'+i)) + "BB"
		b.load(b.payload(series(symbol, "2026-03-02", text)))
		b.same("price", b.closes(symbol, time.Time{}), "03-02="+text)
	}
}
