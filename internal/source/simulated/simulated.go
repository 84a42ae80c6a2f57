// Package simulated is the source that stands in while no real one has answered: a
// few invented exchange rates, so that a laptop without a network has something to
// show. Its symbols are its own and are never those of a real instrument.
package simulated

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"time"

	"bourse/internal/market"
)

// resource is the name of its only file.
const resource = "simulated.csv"

// days is how many publications the history has: two years.
const days = 520

// rates are where the random walks begin, in hundred-thousandths.
var rates = []struct {
	currency string
	start    int64
}{
	{"AUD", 165000}, {"CHF", 95000}, {"GBP", 85000}, {"JPY", 16000000}, {"SEK", 1120000}, {"USD", 110000},
}

// Source is the stand-in. The zero value is ready.
type Source struct{}

// Info describes the source.
func (Source) Info() market.Source {
	return market.Source{
		Name: market.Simulated, Title: "SIMULATED rates", Attribution: "SIMULATED: invented numbers.",
		Licence: market.Public, Calendar: market.TARGET, PublishAt: 16 * time.Hour, Zone: "Europe/Berlin", Joint: true,
	}
}

// Next asks for nothing: there is no upstream.
func (Source) Next(market.Coverage, []string, time.Time) []market.Request { return nil }

// Span asks for nothing either.
func (Source) Span(market.Date, market.Date, time.Time) []market.Request { return nil }

// Payload returns two years of random walks, which are the same each time.
func (s Source) Payload(now time.Time) (string, []byte) {
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // invented prices need no secret
	price := make([]int64, len(rates))
	var text bytes.Buffer
	text.WriteString("date")
	for i, r := range rates {
		price[i] = r.start
		text.WriteString("," + r.currency)
	}
	newest := s.Info().Expected(now)
	first := newest
	for range days {
		first = market.TARGET.Before(first)
	}
	for _, day := range market.TARGET.Days(first, newest) {
		text.WriteString("\n" + day.String())
		for i := range price {
			price[i] += price[i] * (random.Int64N(161) - 80) / 10000 // at most 0.8 % a day
			fmt.Fprintf(&text, ",%d.%05d", price[i]/100000, price[i]%100000)
		}
	}
	text.WriteByte('\n')
	return resource, text.Bytes()
}

// Parse reads what Payload wrote.
func (s Source) Parse(_ market.Payload, body []byte) (market.Batch, error) {
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 2 {
		return market.Batch{}, market.Malformed("not the CSV that was written: %v", err)
	}
	info := s.Info()
	var b market.Batch
	for column, currency := range rows[0][1:] {
		series := market.Series{Symbol: "SIM-EUR" + currency, Interval: market.Day}
		for n, row := range rows[1:] {
			day, err := market.ParseDate(row[0])
			if err != nil {
				return market.Batch{}, market.Malformed("row %d: %v", n+2, err)
			}
			price, err := market.ParseDecimal(row[column+1])
			if err != nil {
				return market.Batch{}, market.Malformed("row %d: %v", n+2, err)
			}
			series.Bars = append(series.Bars, market.Fixing(day, price))
		}
		b.Series = append(b.Series, series)
		b.Instruments = append(b.Instruments, market.Instrument{
			Symbol: series.Symbol, Name: "SIMULATED " + currency, Kind: market.FX, Base: "EUR", Quote: currency,
			Source: info.Name, Calendar: info.Calendar, Licence: info.Licence,
		})
	}
	return b, nil
}
