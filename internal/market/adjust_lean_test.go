package market_test

import (
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/replaytest"

	"github.com/govalues/decimal"
)

func day(t *testing.T, text string) market.Date {
	t.Helper()
	d, err := market.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// leanDay reads a date as Lean writes it, in a layout such as "20060102".
func leanDay(t *testing.T, layout, text string) market.Date {
	t.Helper()
	at, err := time.Parse(layout, text)
	if err != nil {
		t.Fatal(err)
	}
	return market.DateOf(at)
}

// leanBars are the recorded daily bars of an equity, ascending and not adjusted. Lean
// writes prices in 1/10000 dollar: "20140606 00:00,6499300,6517200,6436100,6455700,87484600".
func leanBars(t *testing.T, symbol string) (bars []market.Bar) {
	t.Helper()
	for _, field := range replaytest.Rows(t, "lean/equity/usa/daily/"+symbol+".zip") {
		price := func(i int) market.Decimal { return quo(t, field[i], "10000") }
		bars = append(bars, market.Bar{
			Start: leanDay(t, "20060102 15:04", field[0]).Time(),
			Open:  price(1), High: price(2), Low: price(3), Close: price(4),
			Volume: decimal.NullDecimal{Decimal: decimal.MustParse(field[5]), Valid: true},
		})
	}
	if len(bars) < 5000 {
		t.Fatalf("%s has %d bars", symbol, len(bars))
	}
	return bars
}

func quo(t *testing.T, a, b string) market.Decimal {
	t.Helper()
	q, err := decimal.MustParse(a).Quo(decimal.MustParse(b))
	if err != nil {
		t.Fatal(err)
	}
	return q
}
