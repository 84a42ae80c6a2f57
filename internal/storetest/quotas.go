package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/market"
)

func quota(t *testing.T, b *bench) {
	monday, tuesday := day("2026-03-02"), day("2026-03-03")
	spend := func(s Store, source string, on market.Date, most int, at time.Time) string {
		t.Helper()
		before, err := s.Spend(t.Context(), source, on, most, at)
		switch {
		case errors.Is(err, market.ErrQuota):
			b.same("before, where nothing was taken", before.IsZero(), true)
			return "used up"
		case err != nil:
			t.Fatal(err)
		case before.IsZero():
			return "the first"
		}
		return before.Sub(b.now).String()
	}
	at := func(n int) time.Time { return b.now.Add(time.Duration(n) * time.Minute) }
	b.same("of none", spend(b, "coinbase", monday, 0, at(0)), "used up")
	b.same("the first", spend(b, "coinbase", monday, 2, at(1)), "the first")
	b.same("the second", spend(b, "coinbase", monday, 2, at(2)), "1m0s")
	b.same("one too many", spend(b, "coinbase", monday, 2, at(3)), "used up")
	b.same("by another source", spend(b, "alphavantage", monday, 2, at(4)), "the first")
	other := b.reopen()
	b.same("after a restart", spend(other, "coinbase", monday, 2, at(5)), "used up")
	b.same("the next day", spend(other, "coinbase", tuesday, 2, at(6)), "2m0s")
	b.same("of the day before, raised", spend(b, "coinbase", monday, 3, at(7)), "6m0s")
	// Clocks differ, and what was taken last is not always the newest.
	b.same("the newest", spend(b, "coinbase", tuesday, 4, at(8)), "7m0s")
	b.same("by a clock that is late", spend(b, "coinbase", tuesday, 4, at(5)), "8m0s")
	b.same("after it", spend(b, "coinbase", tuesday, 4, at(9).Add(123456*time.Microsecond)), "8m0s")
	b.same("to the microsecond", spend(b, "coinbase", tuesday+1, 1, at(10)), "9m0.123456s")
	for on, want := range map[market.Date]int{monday: 3, tuesday: 4, tuesday + 1: 1, tuesday + 2: 0} {
		n, err := other.Spent(t.Context(), "coinbase", on)
		b.ok(err)
		b.same("spent on "+on.String(), n, want)
	}
}

// quotaAtOnce lets spenders of one process and of two take all that there is.
func quotaAtOnce(t *testing.T, b *bench) {
	const most, spenders = 50, 8
	other := b.reopen()
	for n, handles := range [][]Store{{b.Store}, {b.Store, other}} {
		source := []string{"coinbase", "alphavantage"}[n]
		var wg sync.WaitGroup
		var taken, first atomic.Int64
		for i := range spenders {
			wg.Go(func() {
				for range most + 1 { // more than there is
					before, err := handles[i%len(handles)].Spend(t.Context(), source, day("2026-03-02"), most, b.now)
					if errors.Is(err, market.ErrQuota) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					taken.Add(1)
					if before.IsZero() {
						first.Add(1)
					}
				}
			})
		}
		wg.Wait()
		b.same("taken", taken.Load(), int64(most))
		b.same("with none before", first.Load(), int64(1))
	}
}
