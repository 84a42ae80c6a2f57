package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"bourse/internal/market"
)

func changes(t *testing.T, b *bench) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	signals, err := b.reopen().Watch(ctx)
	b.ok(err)
	last, err := b.LastChange(ctx)
	b.ok(err)
	b.same("last change of an empty store", last, int64(0))
	b.load(b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-03", "2"), series("EURJPY", "2026-03-02", "9")))
	b.load(b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-03", "2"))) // changes nothing
	b.load(b.payload(series("EURUSD", "2026-03-02", "1.5", "2026-03-03", "2")))
	var got []market.Change
	for len(got) < 2 {
		if _, ok := <-signals; !ok {
			t.Fatal("no more signals")
		}
		var err error
		got, err = b.Changes(ctx, last, 10)
		b.ok(err)
	}
	told := func(c market.Change) (text string) {
		for _, s := range c.Series {
			text += fmt.Sprintf("%s %s %s ", s.Symbol, s.Interval, written(s.Bars))
		}
		return text
	}
	b.same("changes", len(got), 2)
	b.same("the first", told(got[0]), "EURJPY 1d 03-02=9 EURUSD 1d 03-03=2 ")
	b.same("the second", told(got[1]), "EURUSD 1d 03-02=1.5 ")
	b.same("in order", got[0].Seq < got[1].Seq, true)
	newest, err := b.LastChange(ctx)
	b.ok(err)
	b.same("last change", newest, got[1].Seq)
	rest, err := b.Changes(ctx, got[0].Seq, 10)
	b.ok(err)
	b.same("after the first", len(rest), 1)
}

func versions(t *testing.T, b *bench) {
	last := int64(-1)
	changed := func() bool {
		v, err := b.Version(t.Context())
		b.ok(err)
		moved := v != last
		last = v
		return moved
	}
	changed()
	b.same("changed by nothing", changed(), false)
	batch := b.payload(series("EURUSD", "2026-03-02", "1"))
	b.load(batch)
	b.same("changed by a load", changed(), true)
	_, err := b.reopen().Load(t.Context(), b.payload(series("EURUSD", "2026-03-02", "2")), accept)
	b.ok(err)
	for !changed() { // a handle on the network learns of it a moment later
		if t.Context().Err() != nil {
			t.Fatal("a load of another handle did not change the version")
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = b.Version(gone) // what comes of it is the store's affair
	b.same("changed by a caller who went away", changed(), false)
}

// isolation loads series of equal prices, one after another from two handles, while
// readers make sure that they never see two prices at once.
func isolation(t *testing.T, b *bench) {
	const loads = 20
	days := market.TARGET.Days(day("2025-01-02"), day("2026-03-02"))
	uniform := func(n int) market.Series {
		s := market.Series{Symbol: "EURUSD", Interval: market.Day}
		for _, d := range days {
			s.Bars = append(s.Bars, market.Fixing(d, price(fmt.Sprint(n))))
		}
		return s
	}
	b.load(b.payload(uniform(1)))
	handles := []Store{b.Store, b.reopen()}
	batches := make([]market.Batch, loads)
	for n := range batches {
		batches[n] = b.payload(uniform(n + 2))
	}
	var wg sync.WaitGroup
	written := make(chan struct{})
	for _, h := range handles {
		wg.Go(func() { readUniform(t, h, len(days), written) })
		wg.Go(func() { readUniform(t, h, len(days), written) })
	}
	for n, batch := range batches {
		counts, err := handles[n%2].Load(t.Context(), batch, accept)
		if err != nil || counts.Revised != len(days) {
			t.Errorf("load %d: %v, %+v", n, err, counts)
		}
	}
	close(written)
	wg.Wait()
	v, err := b.Versions(t.Context(), "EURUSD", market.Day, days[0].Time())
	b.ok(err)
	b.same("versions", len(v), loads+1)
}

func readUniform(t *testing.T, s Store, want int, done <-chan struct{}) {
	for {
		bars, err := s.Bars(t.Context(), market.BarQuery{Symbol: "EURUSD", Interval: market.Day, Limit: 1000})
		if err != nil || len(bars) != want {
			t.Errorf("read %d bars, %v", len(bars), err)
			return
		}
		for _, bar := range bars {
			if !bar.Same(bars[0]) {
				t.Errorf("saw half a load: %s and %s", bar.Close, bars[0].Close)
				return
			}
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
