package postgres_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"bourse/internal/market"

	"github.com/govalues/decimal"
)

// TestNumbers sends numbers of every length and scale and reads back their canonical
// text. Sent again, they are all known to be unchanged.
func TestNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := market.Series{Symbol: "BTC-USD", Interval: market.Minute}
	var want []string
	for scale := range decimal.MaxScale + 1 {
		for digits := range decimal.MaxPrec + 1 {
			limit := int64(1)
			for range min(digits, 18) {
				limit *= 10
			}
			for _, coef := range []int64{limit - 1, limit, random.Int64N(limit), limit / 10 * 3} {
				d := decimal.MustNew(coef, scale)
				bar := market.Fixing(0, d)
				bar.Start = bar.Start.Add(time.Duration(len(s.Bars)) * time.Minute)
				bar.Low = d.Neg()
				s.Bars = append(s.Bars, bar)
				want = append(want, d.Trim(0).String())
			}
		}
	}
	url := database(t)
	store := open(t, url)
	id := begin(t, store, "coinbase")
	must(t, load(t, store, batch("coinbase", id, time.Unix(1, 0), s)))
	counts, err := store.Load(t.Context(), batch("coinbase", id, time.Unix(2, 0), s), accept)
	if err != nil || counts.Unchanged != len(want) {
		t.Errorf("again: %+v, %v", counts, err)
	}
	bars, err := store.Bars(t.Context(), market.BarQuery{Symbol: "BTC-USD", Interval: market.Minute, Limit: len(want) + 1})
	must(t, err)
	for i, bar := range bars {
		if bar.Open.String() != want[i] || !bar.Low.Equal(s.Bars[i].Low) {
			t.Errorf("%s came back as %s and %s", want[i], bar.Open, bar.Low)
		}
	}
	// What the server would write itself has the same bytes, else it would count as changed.
	db := connection(t, url)
	var odd int
	err = db.QueryRow(t.Context(), `SELECT count(*) FROM bars WHERE numeric_send(open) <> numeric_send(open::text::numeric)
		OR numeric_send(low) <> numeric_send(low::text::numeric)`).Scan(&odd)
	if err != nil || odd > 0 || len(bars) != len(want) {
		t.Errorf("%d of %d numbers have a form of their own, %v", odd, len(bars), err)
	}
}

// TestManyChanges replaces many values, and loads as many late ones: the time of each
// must be that of its rows, not of their square.
func TestManyChanges(t *testing.T) {
	const n = 50_000
	store := open(t, database(t))
	id := begin(t, store, "coinbase")
	of := func(price int) market.Series {
		s := market.Series{Symbol: "BTC-USD", Interval: market.Minute}
		for i := range n {
			bar := market.Fixing(market.NewDate(2026, 1, 1), priceOf(price))
			bar.Start = bar.Start.Add(time.Duration(i) * time.Minute)
			s.Bars = append(s.Bars, bar)
		}
		return s
	}
	for _, tt := range []struct {
		at, price int
		want      market.Counts
	}{
		{10, 1, market.Counts{Bars: n, Inserted: n}},
		{30, 3, market.Counts{Bars: n, Revised: n}},
		{20, 2, market.Counts{Bars: n, Revised: n}},
		{15, 2, market.Counts{Bars: n, Unchanged: n}}, // dates a revision back
		{25, 3, market.Counts{Bars: n, Unchanged: n}}, // and the current value
	} {
		began := time.Now()
		counts, err := store.Load(t.Context(), batch("coinbase", id, time.Unix(int64(tt.at), 0), of(tt.price)), accept)
		took := time.Since(began)
		if err != nil || counts != tt.want || took > time.Minute {
			t.Errorf("price %d received at %d: %+v, %v, in %s", tt.price, tt.at, counts, err, took)
		}
		t.Logf("price %d received at %d: %s", tt.price, tt.at, took)
	}
	versions, err := store.Versions(t.Context(), "BTC-USD", market.Minute, market.NewDate(2026, 1, 1).Time())
	must(t, err)
	for i, want := range []int64{25, 15, 10} {
		if len(versions) != 3 || versions[i].KnownAt.Unix() != want {
			t.Errorf("versions: %+v", versions)
			break
		}
	}
}
