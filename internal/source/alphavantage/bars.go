package alphavantage

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"bourse/internal/market"

	"github.com/govalues/decimal"
)

// settle is how long after the close of a session its bar still moves.
const settle = 15 * time.Minute

// columns are the fields of a day.
var columns = []string{"1. open", "2. high", "3. low", "4. close", "5. volume"}

// readBars reads TIME_SERIES_DAILY: an object of days, each an object of texts.
func readBars(b *market.Batch, p market.Payload, symbol string, top object) error {
	var meta map[string]string
	if err := json.Unmarshal(top["Meta Data"], &meta); err != nil {
		return market.Drift("no meta data")
	}
	if meta["2. Symbol"] != symbol || meta["5. Time Zone"] != "US/Eastern" {
		return market.Drift("the series is of %q in the zone %q", clip(meta["2. Symbol"]), clip(meta["5. Time Zone"]))
	}
	series := market.Series{Symbol: symbol, Interval: market.Day}
	days := 0
	err := fields(top["Time Series (Daily)"], func(day string, value json.RawMessage) error {
		days++
		row, err := readRow(day, value)
		if err != nil {
			return err
		}
		if bar, bad := row.bar(p.SourceTime()); bad != nil {
			hold(b, symbol, row.day, row.raw(), bad, false)
		} else {
			series.Bars = append(series.Bars, bar)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if days == 0 || 2*len(b.Quarantine) > days {
		return market.Drift("%d of %d days cannot be read", len(b.Quarantine), days)
	}
	slices.SortStableFunc(series.Bars, func(a, b market.Bar) int { return a.Start.Compare(b.Start) })
	b.Series = []market.Series{series}
	return nil
}

// fields calls f for each field of an object in turn, also for those that are there twice.
func fields(raw json.RawMessage, f func(name string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return market.Drift("no object where one should be")
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return market.Malformed("not JSON: %v", err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return market.Malformed("not JSON: %v", err)
		}
		text, _ := name.(string) // the name of a field is one
		if err := f(text, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil && !errors.Is(err, io.EOF) {
		return market.Malformed("not JSON: %v", err)
	}
	return nil
}

// row is a day as the source wrote it.
type row struct {
	day    market.Date
	values [5]string // in the order of columns
}

func readRow(day string, value json.RawMessage) (row, error) {
	var r row
	var err error
	if r.day, err = market.ParseDate(day); err != nil {
		return r, market.Drift("a day is %q", clip(day))
	}
	seen := 0
	err = fields(value, func(name string, value json.RawMessage) error {
		i := slices.Index(columns, name)
		if i < 0 {
			return market.Drift("a day has the field %q", clip(name))
		}
		seen++
		if json.Unmarshal(value, &r.values[i]) != nil {
			return market.Drift("%s of %s is no text", name, day)
		}
		return nil
	})
	if err == nil && seen != len(columns) {
		err = market.Drift("%s has %d fields", day, seen)
	}
	return r, err
}

var errNoSession = errors.New("the exchange was closed on this day")

// bar reads the values. A bar is provisional until its session has closed and settled.
func (r row) bar(now time.Time) (market.Bar, error) {
	if !market.XNYS.Open(r.day) {
		return market.Bar{}, errNoSession
	}
	bar := market.Bar{Start: r.day.Time(), Provisional: now.Before(market.XNYS.Close(r.day).Add(settle))}
	var volume market.Decimal
	for i, to := range []*market.Decimal{&bar.Open, &bar.High, &bar.Low, &bar.Close, &volume} {
		var err error
		if *to, err = market.ParseDecimal(r.values[i]); err != nil {
			return market.Bar{}, err
		}
	}
	bar.Volume = decimal.NullDecimal{Decimal: volume, Valid: true}
	return bar, nil
}

func (r row) raw() string {
	text := r.values[0]
	for _, v := range r.values[1:] {
		text += " " + v
	}
	return text
}
