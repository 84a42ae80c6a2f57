package coinbase

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/govalues/decimal"

	"bourse/internal/market"
)

// The times that a candle may have, in seconds since 1970. Milliseconds are beyond them.
var (
	minTime = time.Date(2012, 6, 1, 0, 0, 0, 0, time.UTC).Unix() // when Coinbase was founded
	maxTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
)

// maxRows bounds what is kept of an answer: twice what the exchange serves.
const maxRows = 2 * perWindow

// fields are what a candle is, in the order in which the exchange writes it.
var fields = [...]string{"time", "low", "high", "open", "close", "volume"}

var byteOrderMark = []byte("\xef\xbb\xbf")

// Parse reads an answer: candles as arrays of numbers, the newest first. That there are
// none is an answer too. The resource of the payload says what they are of.
func (s *Source) Parse(p market.Payload, body []byte) (market.Batch, error) {
	b, err := s.parse(p, body)
	if err != nil {
		return market.Batch{}, fmt.Errorf("%s: %w", p.Resource, err)
	}
	return b, nil
}

func (s *Source) parse(p market.Payload, body []byte) (market.Batch, error) {
	product, i, ok := series(p.Resource)
	if !ok {
		return market.Batch{}, market.Drift("the resource is not a product and an interval")
	}
	rows, err := readRows(bytes.TrimPrefix(body, byteOrderMark))
	if err != nil {
		return market.Batch{}, err
	}
	now := p.SourceTime() // by the exchange's own clock, which decides what is over
	var bars []market.Bar
	var bad []market.Quarantined
	for _, row := range rows {
		start, err := row.start(i)
		if err != nil {
			return market.Batch{}, err
		}
		bar, err := row.bar(start)
		if err != nil {
			bad = append(bad, market.Quarantined{
				Symbol: product, Interval: i.name, Start: start, Raw: clip(row.text), Reason: err.Error(),
			})
			continue
		}
		bar.Provisional = start.Add(i.length).After(now)
		bars = append(bars, bar)
	}
	if len(bad)*2 > len(rows) {
		return market.Batch{}, market.Drift("%d of %d candles can't be read, the first is %s", len(bad), len(rows), bad[0].Raw)
	}
	slices.SortStableFunc(bars, func(a, b market.Bar) int { return a.Start.Compare(b.Start) })
	return market.Batch{
		Instruments: []market.Instrument{instrument(product, s.Info())},
		Series:      []market.Series{{Symbol: product, Interval: i.name, Bars: bars}},
		Quarantine:  bad,
	}, nil
}

// row is a candle as the exchange wrote it. It has room for one value too many, to see
// that there is one: of a longer array, which may have a million, the rest is dropped.
type row struct {
	text   json.RawMessage
	values [len(fields) + 1]json.RawMessage
}

// readRows takes an answer apart. It is checked as a whole before anything is kept of
// it: what is cut off is not drift.
func readRows(body []byte) ([]row, error) {
	if !utf8.Valid(body) {
		return nil, market.Malformed("not UTF-8 text")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, market.Malformed("not JSON: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(whole))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, market.Drift("not an array of candles: %s", clip(whole))
	}
	var rows []row
	for d.More() {
		if len(rows) == maxRows {
			return nil, market.Drift("more than %d candles", maxRows)
		}
		var r row
		if err := d.Decode(&r.text); err != nil {
			return nil, market.Malformed("not JSON: %v", err)
		}
		err := json.Unmarshal(r.text, &r.values)
		if err != nil || r.values[len(fields)-1] == nil || r.values[len(fields)] != nil {
			return nil, market.Drift("candle %d is not an array of %d values: %s", len(rows)+1, len(fields), clip(r.text))
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// start returns when the candle begins.
func (r row) start(i interval) (time.Time, error) {
	seconds, err := strconv.ParseInt(string(r.values[0]), 10, 64)
	if err != nil || seconds < minTime || seconds > maxTime {
		return time.Time{}, market.Drift("time of a candle: %s is not in seconds since 1970", clip(r.values[0]))
	}
	if seconds%int64(i.length.Seconds()) != 0 {
		return time.Time{}, market.Drift("time of a candle: no interval of %s begins at %d", i.name, seconds)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// bar returns the candle, or why a value of it can't be read.
func (r row) bar(start time.Time) (market.Bar, error) {
	var d [len(fields)]market.Decimal
	for n := 1; n < len(fields); n++ {
		var err error
		if d[n], err = number(string(r.values[n])); err != nil {
			return market.Bar{}, fmt.Errorf("%s: %w", fields[n], err)
		}
	}
	return market.Bar{
		Start: start, Low: d[1], High: d[2], Open: d[3], Close: d[4],
		Volume: decimal.NullDecimal{Decimal: d[5], Valid: true},
	}, nil
}

// maxExponent bounds what an exponent makes of a few bytes. None that leads to a
// [market.Decimal] is larger.
const maxExponent = 64

// number reads a JSON number. An exponent is written out, never calculated: 5E-05 is
// 0.00005.
func number(text string) (market.Decimal, error) {
	mantissa, exponent, ok := text, 0, true
	if n := strings.IndexAny(text, "eE"); n >= 0 {
		var err error
		exponent, err = strconv.Atoi(text[n+1:])
		mantissa, ok = text[:n], err == nil && max(exponent, -exponent) <= maxExponent
	}
	if !ok {
		return market.Decimal{}, market.ErrDecimal
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if exponent > 0 {
		frac += strings.Repeat("0", exponent)
		whole, frac = whole+frac[:exponent], frac[exponent:]
	} else if exponent < 0 {
		whole = strings.Repeat("0", -exponent) + whole
		whole, frac = whole[:len(whole)+exponent], whole[len(whole)+exponent:]+frac
	}
	plain := whole
	if frac != "" {
		plain += "." + frac
	}
	if negative {
		plain = "-" + plain
	}
	return market.ParseDecimal(plain)
}

// clip shortens text of unknown length, which is UTF-8, for a record.
func clip(text []byte) string {
	const most = 160 // a candle is about 70
	if len(text) <= most {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:most]), "") + "…"
}
