package ecb

import (
	"cmp"
	"slices"

	"bourse/internal/market"
)

// noRate is what the bank writes where a currency has no rate.
const noRate = "N/A"

// table collects the rates of a file.
type table struct {
	series map[string][]market.Bar // by currency
	bad    []market.Quarantined    // rates that are not numbers
	rates  int
}

func newTable() *table { return &table{series: map[string][]market.Bar{}} }

// add takes the rate of a currency on a day, as the bank wrote it.
func (t *table) add(currency string, day market.Date, rate string) {
	if rate == noRate || rate == "" {
		return
	}
	t.rates++
	price, err := market.ParseDecimal(rate)
	if err != nil {
		t.bad = append(t.bad, market.Quarantined{
			Symbol: symbol(currency), Interval: market.Day, Start: day.Time(), Raw: rate, Reason: err.Error(),
		})
		return
	}
	t.series[currency] = append(t.series[currency], market.Fixing(day, price))
}

// batch returns what was collected. A file without any rate, or in which most rates
// are no numbers, is not a day without news: something has changed.
func (t *table) batch(source market.Source) (market.Batch, error) {
	if t.rates == 0 {
		return market.Batch{}, market.Drift("no rate in the whole file")
	}
	if len(t.bad)*2 > t.rates {
		return market.Batch{}, market.Drift("%d of %d rates are not numbers, the first is %q", len(t.bad), t.rates, clip(t.bad[0].Raw))
	}
	b := market.Batch{Quarantine: t.bad}
	for currency, bars := range t.series {
		slices.SortStableFunc(bars, func(a, b market.Bar) int { return a.Start.Compare(b.Start) })
		b.Series = append(b.Series, market.Series{Symbol: symbol(currency), Interval: market.Day, Bars: bars})
		b.Instruments = append(b.Instruments, instrument(currency, source))
	}
	slices.SortFunc(b.Series, func(a, b market.Series) int { return cmp.Compare(a.Symbol, b.Symbol) })
	slices.SortFunc(b.Instruments, func(a, b market.Instrument) int { return cmp.Compare(a.Symbol, b.Symbol) })
	return b, nil
}

// clip shortens text of unknown length for a message.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
