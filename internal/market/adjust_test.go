package market_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bourse/internal/market"

	"github.com/govalues/decimal"
)

// bars reads "2000-06-20 101x4353700 2000-06-21 55.56": days with a close and a volume.
func bars(t *testing.T, text string) (list []market.Bar) {
	t.Helper()
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i += 2 {
		price, volume, traded := strings.Cut(fields[i+1], "x")
		b := market.Fixing(day(t, fields[i]), decimal.MustParse(price))
		if traded {
			b.Volume = decimal.NullDecimal{Decimal: decimal.MustParse(volume), Valid: true}
		}
		list = append(list, b)
	}
	return list
}

// actions reads "2000-06-21 2 2005-02-28 2".
func actions(t *testing.T, text string) (list []market.Action) {
	t.Helper()
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i += 2 {
		list = append(list, market.Action{Day: day(t, fields[i]), Value: decimal.MustParse(fields[i+1])})
	}
	return list
}

func closes(bars []market.Bar) string {
	var list []string
	for _, b := range bars {
		text := b.Close.String()
		if b.Volume.Valid {
			text += "x" + b.Volume.Decimal.String()
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func TestAdjust(t *testing.T) {
	for name, c := range map[string]struct{ bars, splits, dividends, split, all string }{
		"AAPL splits 7:1": {
			bars: "2014-06-06 645.57x12116671 2014-06-09 93.7x72875948", splits: "2014-06-09 7",
			split: "92.224286x84816697 93.7x72875948",
		},
		"AAPL splits 4:1": {
			bars: "2020-08-28 499.23x44109029 2020-08-31 129.04x210024091", splits: "2020-08-31 4",
			split: "124.8075x176436116 129.04x210024091",
		},
		"AAPL splits twice": {
			bars: "2000-06-20 101 2000-06-21 55.56 2005-02-25 88.97 2005-02-28 44.84", splits: "2000-06-21 2 2005-02-28 2",
			split: "25.25 27.78 44.485 44.84",
		},
		"a reverse split": {
			bars: "2026-03-02 1.5x1005 2026-03-03 15.1x100", splits: "2026-03-03 0.1", split: "15x100.5 15.1x100",
		},
		"a spin-off": {
			bars: "2021-11-03 127.13x1000 2021-11-04 120.85x1", splits: "2021-11-04 1.0460", split: "121.539197x1046 120.85x1",
		},
		"a dividend": {
			bars: "2026-03-02 100x7 2026-03-03 200x7 2026-03-04 197x7", dividends: "2026-03-04 2",
			split: "100x7 200x7 197x7", all: "99x7 198x7 197x7",
		},
		"two dividends": {
			bars: "2026-03-02 100 2026-03-03 80 2026-03-04 50", dividends: "2026-03-03 10 2026-03-04 8",
			split: "100 80 50", all: "81 72 50",
		},
		"two dividends of one day": {
			bars: "2026-03-02 100 2026-03-03 80", dividends: "2026-03-03 10 2026-03-03 5", split: "100 80", all: "85 80",
		},
		"a dividend of new shares": {
			bars: "2026-03-02 100x10 2026-03-03 48x20", splits: "2026-03-03 2", dividends: "2026-03-03 1",
			split: "50x20 48x20", all: "49x20 48x20",
		},
		"a dividend that makes up for a reverse split": {
			bars: "2026-03-02 100x10 2026-03-03 100x5", splits: "2026-03-03 0.5", dividends: "2026-03-03 100",
			split: "200x5 100x5", all: "100x5 100x5",
		},
		"a split and a dividend while nothing was known": {
			bars: "2026-03-02 100 2026-03-06 48", splits: "2026-03-04 2", dividends: "2026-03-03 10 2026-03-05 5",
			split: "50 48", all: "40.5 48",
		},
		"an ex-date without a session": {
			bars: "2026-03-06 100 2026-03-09 50", splits: "2026-03-07 2", dividends: "2026-03-08 5", split: "50 50", all: "45 50",
		},
		"before the first bar": {
			bars: "2026-03-03 100.1234567", splits: "2026-03-03 2", dividends: "2026-03-02 5 2026-03-03 5", split: "100.1234567",
		},
		"not yet": {
			bars: "2026-03-02 100 2026-03-03 101", splits: "2026-03-04 2", dividends: "2026-03-05 1", split: "100 101",
		},
		"what can't be true": {
			bars: "2026-03-02 100.1234567 2026-03-03 101", splits: "2026-03-03 0 2026-03-03 -2",
			dividends: "2026-03-03 0 2026-03-03 -1", split: "100.1234567 101",
		},
		"more than there is": {
			bars: "2026-03-02 100 2026-03-03 101", dividends: "2026-03-03 100", split: "100 101",
		},
		"half to even": {
			bars: "2026-03-02 0.000005 2026-03-03 0.000003 2026-03-04 1", splits: "2026-03-04 2", split: "0.000002 0.000002 1",
		},
		"nothing": {},
	} {
		t.Run(name, func(t *testing.T) {
			given, splits, dividends := bars(t, c.bars), actions(t, c.splits), actions(t, c.dividends)
			if c.all == "" {
				c.all = c.split
			}
			for adjustment, want := range map[market.Adjustment]string{market.Raw: closes(given), market.SplitOnly: c.split, market.All: c.all} {
				got, err := adjustment.Apply(given, splits, dividends)
				if err != nil || closes(got) != want {
					t.Errorf("%s: got %s, %v, want %s", adjustment, closes(got), err, want)
				}
			}
			if fmt.Sprint(given, splits, dividends) != fmt.Sprint(bars(t, c.bars), actions(t, c.splits), actions(t, c.dividends)) {
				t.Error("what was given has changed")
			}
		})
	}
}

// TestAdjustOverflow: numbers that no share has ever had are an error and no panic.
func TestAdjustOverflow(t *testing.T) {
	const huge, tiny = "9999999999999999999", "0.0000000000000000001"
	given := "2026-03-02 100x1000 2026-03-03 100x1000"
	for name, c := range map[string]struct{ bars, splits, dividends string }{
		"volume":    {given, "2026-03-03 " + huge, ""},
		"price":     {given, "2026-03-03 " + tiny, ""},
		"splits":    {given, "2026-03-02 10 2026-03-03 " + huge + " 2026-03-03 10", ""},
		"no shares": {given, "2026-03-03 " + tiny + " 2026-03-03 " + tiny, ""},
		"dividends": {given, "", "2026-03-03 " + huge + " 2026-03-03 " + huge},
	} {
		if got, err := market.All.Apply(bars(t, c.bars), actions(t, c.splits), actions(t, c.dividends)); err == nil || got != nil {
			t.Errorf("%s: got %s, %v", name, closes(got), err)
		}
	}
	if got, err := market.Adjustment("half").Apply(bars(t, given), nil, nil); err == nil || got != nil {
		t.Errorf("an unknown adjustment: got %s, %v", closes(got), err)
	}
	if market.Adjustment("").Valid() || !market.SplitOnly.Valid() {
		t.Error("what is valid is not")
	}
}

// TestAdjustReturns: on random bars and actions, the return of a day is the raw one, on an
// ex-date the one that a holder had who sold the new shares and kept the dividend.
func TestAdjustReturns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var raw []market.Bar
		var splits, dividends []market.Action
		price := 100.0
		for d := day(t, "2020-01-01"); len(raw) < 200; d++ {
			price *= 0.95 + r.Float64()/10
			raw = append(raw, market.Fixing(d, decimal.MustParse(fmt.Sprintf("%.4f", price))))
			if r.IntN(20) == 0 {
				splits = append(splits, market.Action{Day: d, Value: []market.Decimal{
					decimal.MustParse("2"), decimal.MustParse("0.5"), decimal.MustParse("1.046"),
				}[r.IntN(3)]})
			}
			if r.IntN(20) == 0 {
				dividends = append(dividends, market.Action{Day: d, Value: decimal.MustParse("0.41")})
			}
		}
		if same, err := market.All.Apply(raw, nil, nil); err != nil || !slices.EqualFunc(same, raw, market.Bar.Same) {
			t.Fatalf("without actions the bars are others: %v", err)
		}
		adjusted, err := market.All.Apply(raw, splits, dividends)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(raw); i++ {
			d := market.DateOf(raw[i].Start)
			before := ratio(raw[i-1].Close, decimal.One)
			if s := on(splits, d); s.IsPos() {
				before.Quo(before, ratio(s, decimal.One))
			}
			before.Sub(before, ratio(on(dividends, d), decimal.One))
			want := new(big.Rat).Quo(ratio(raw[i].Close, decimal.One), before)
			if off := deviation(ratio(adjusted[i].Close, adjusted[i-1].Close), want); off > 1e-5 {
				t.Fatalf("%s: the return is off by %g", d, off)
			}
		}
	}
}

func on(actions []market.Action, d market.Date) market.Decimal {
	for _, a := range actions {
		if a.Day == d {
			return a.Value
		}
	}
	return decimal.Zero
}

func ratio(a, b market.Decimal) *big.Rat {
	x, _ := new(big.Rat).SetString(a.String())
	y, _ := new(big.Rat).SetString(b.String())
	return x.Quo(x, y)
}

// deviation is how far got is from want, as a fraction of want.
func deviation(got, want *big.Rat) float64 {
	q := new(big.Rat).Quo(got, want)
	off, _ := q.Abs(q.Sub(q, big.NewRat(1, 1))).Float64()
	return off
}
