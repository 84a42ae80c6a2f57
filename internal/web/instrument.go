package web

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"bourse/internal/market"
)

// span is a stretch of time that an instrument's page can show.
type span struct {
	Key, Label    string
	years, months int // none: all there is
}

var spans = []span{
	{Key: "1m", Label: "1M", months: 1},
	{Key: "3m", Label: "3M", months: 3},
	{Key: "1y", Label: "1Y", years: 1},
	{Key: "5y", Label: "5Y", years: 5},
	{Key: "max", Label: "Max"},
}

const defaultSpan = 2

// rangeLink is a span of one instrument: it ends with the newest value, which for a
// series that has ended may be long ago.
type rangeLink struct {
	span
	From     string
	Selected bool
}

type instrumentData struct {
	Instrument instrument
	Quote      quote
	Ranges     []rangeLink
	Range      rangeLink

	Stats  statsAnswer
	Mean   json.Number
	Curve  curve
	Candle bool // bars with a range, not fixings
	Scale  int
	Rows   []barRow
	Total  int
	Bars   barsLinks
}

type barRow struct {
	bar
	ChangePercent json.Number
}

// barsLinks are the addresses of the bars that are shown.
type barsLinks struct{ CSV, NDJSON string }

const (
	maxRows  = 60
	maxBars  = 10000 // what the API gives in one page
	plotWide = 800
	plotHigh = 320
)

func instrumentPage(c *call) (view, error) {
	symbol, err := symbolOf(c)
	if err != nil {
		return view{}, err
	}
	in, err := get[instrument](c, "/instruments/"+symbol, nil)
	if err != nil {
		return view{}, err
	}
	data := instrumentData{Instrument: in}
	if in.Last != "" {
		if err := data.load(c, c.FormValue("range")); err != nil {
			return view{}, err
		}
	}
	return view{Template: "instrument", Title: in.Symbol + ", " + in.Name, Data: &data}, nil
}

// symbolOf is the symbol in the path; what cannot be one is not asked for.
func symbolOf(c *call) (string, error) {
	symbol := c.PathValue("symbol")
	if !market.SymbolPattern.MatchString(symbol) {
		return "", &problem{Status: 404, Detail: "There is no instrument of that name."}
	}
	return symbol, nil
}

func (d *instrumentData) load(c *call, key string) error {
	symbol := d.Instrument.Symbol
	quotes, err := get[quotesAnswer](c, "/quotes", url.Values{"symbols": {symbol}, "history": {"0"}})
	if err != nil {
		return err
	}
	if len(quotes.Quotes) > 0 {
		d.Quote = quotes.Quotes[0]
	}
	d.setRanges(key)
	query := url.Values{"interval": {string(market.Day)}, "from": {d.Range.From}}
	if d.Stats, err = get[statsAnswer](c, "/stats/"+symbol, query); err != nil {
		return err
	}
	query.Set("order", "desc")
	query.Set("limit", strconv.Itoa(maxBars))
	bars, err := get[barsAnswer](c, "/bars/"+symbol, query)
	if err != nil {
		return err
	}
	d.setBars(bars.Bars)
	return nil
}

// setRanges dates the spans back from the newest value and selects the one of key.
func (d *instrumentData) setRanges(key string) {
	selected := slices.IndexFunc(spans, func(s span) bool { return s.Key == key })
	if selected < 0 {
		selected = defaultSpan
	}
	for i, s := range spans {
		link := rangeLink{span: s, From: d.Instrument.First, Selected: i == selected}
		if last, err := time.Parse(time.DateOnly, d.Instrument.Last); err == nil && (s.years > 0 || s.months > 0) {
			link.From = last.AddDate(-s.years, -s.months, 0).Format(time.DateOnly)
		}
		d.Ranges = append(d.Ranges, link)
	}
	d.Range = d.Ranges[selected]
}

// setBars takes the bars of the range, newest first.
func (d *instrumentData) setBars(bars []bar) {
	d.Total = len(bars)
	closes := make([]json.Number, len(bars))
	for i, b := range bars {
		closes[len(bars)-1-i] = b.Close
		d.Candle = d.Candle || b.High != b.Low
		d.Scale = max(d.Scale, scale(b.Open, b.High, b.Low, b.Close))
	}
	d.Curve = newCurve(closes, plotWide, plotHigh)
	d.Mean = rounded(d.Stats.Mean, d.Scale)
	for i, b := range bars[:min(maxRows, len(bars))] {
		row := barRow{bar: b}
		if i+1 < len(bars) {
			row.ChangePercent = changePercent(bars[i+1].Close, b.Close)
		}
		d.Rows = append(d.Rows, row)
	}
	link := func(format string) string {
		query := url.Values{"interval": {string(market.Day)}, "from": {d.Range.From},
			"limit": {strconv.Itoa(maxBars)}, "format": {format}}
		return "/api/v1/bars/" + d.Instrument.Symbol + "?" + query.Encode()
	}
	d.Bars = barsLinks{CSV: link("csv"), NDJSON: link("ndjson")}
}
