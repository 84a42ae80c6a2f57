package web

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"bourse/internal/market"
)

// choiceLink is one of several ways to show an instrument.
type choiceLink struct {
	Label, Href string
	Selected    bool
}

// rangeLink is a span of one instrument: it ends with the newest value, which for a
// series that has ended may be long ago.
type rangeLink struct {
	choiceLink
	Key, From string
}

type instrumentData struct {
	Instrument instrument
	Quote      quote

	Interval    interval
	Adjustment  adjustment // none where there is no choice
	Intervals   []choiceLink
	Adjustments []choiceLink
	Ranges      []rangeLink
	Range       rangeLink

	Empty     bool // there are no bars of the interval
	Stats     statsAnswer
	Mean      json.Number
	Curve     curve
	Candles   candles
	Candle    bool // bars with a range, not fixings
	Unsettled bool // the newest is provisional
	Low, High json.Number
	Scale     int
	Volumes   int // decimals of volumes
	Rows      []barRow
	Total     int
	Bars      barsLinks
}

type barRow struct {
	bar
	ChangePercent json.Number
}

// barsLinks are the addresses of the bars that are shown.
type barsLinks struct{ Query, CSV, NDJSON, File string }

const (
	maxRows      = 60
	maxBars      = 10000 // what the API gives in one page
	volumePlaces = 4     // decimals of volumes; how many coins were traded is known to eight
	plotWide     = 800
	plotHigh     = 320
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
		if err := data.load(c); err != nil {
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

func (d *instrumentData) load(c *call) error {
	symbol := d.Instrument.Symbol
	quotes, err := get[quotesAnswer](c, "/quotes", url.Values{"symbols": {symbol}, "history": {"0"}})
	if err != nil {
		return err
	}
	if len(quotes.Quotes) > 0 {
		d.Quote = quotes.Quotes[0]
	}
	d.choose(c.FormValue("interval"), c.FormValue("adjustment"))
	newest, err := d.newest(c)
	if err != nil {
		return err
	}
	d.setChoices(c.FormValue("range"), newest)
	if d.Empty = newest == ""; d.Empty {
		return nil
	}
	query := d.query()
	query.Set("from", d.Range.From)
	if d.Stats, err = get[statsAnswer](c, "/stats/"+symbol, query); err != nil {
		return err
	}
	query.Set("order", "desc")
	query.Set("limit", strconv.Itoa(maxBars))
	bars, err := get[barsAnswer](c, "/bars/"+symbol, query)
	if err != nil {
		return err
	}
	if d.adjusted() {
		d.round(bars.Bars)
	}
	d.setBars(bars.Bars)
	return nil
}

// choose selects what is shown.
func (d *instrumentData) choose(interval, adjustment string) {
	d.Interval = chosen(intervalsOf(d.Instrument.Kind), interval)
	for _, a := range adjustmentsOf(d.Instrument.Kind, d.Interval) {
		if d.Adjustment.Name == "" || string(a.Name) == adjustment {
			d.Adjustment = a
		}
	}
}

// adjusted reports whether the prices shown are not those that were traded.
func (d *instrumentData) adjusted() bool {
	return d.Adjustment.Name != "" && d.Adjustment.Name != market.Raw
}

// newest is the start of the newest bar of the interval, empty where there is none.
func (d *instrumentData) newest(c *call) (string, error) {
	if !d.Intraday() {
		return d.Instrument.Last, nil
	}
	answer, err := get[barsAnswer](c, "/bars/"+d.Instrument.Symbol, url.Values{
		"interval": {string(d.Interval.Name)}, "order": {"desc"}, "limit": {"1"}})
	if err != nil || len(answer.Bars) == 0 {
		return "", err
	}
	return answer.Bars[0].Start, nil
}

// query is what the API is asked for the bars that are shown, but for their range.
func (d *instrumentData) query() url.Values {
	query := url.Values{"interval": {string(d.Interval.Name)}}
	if d.Adjustment.Name != "" {
		query.Set("adjustment", string(d.Adjustment.Name))
	}
	return query
}

// setChoices makes the links of the page, and dates the spans back from the newest bar.
func (d *instrumentData) setChoices(key, newest string) {
	selected := slices.IndexFunc(d.Interval.spans, func(s span) bool { return s.Key == key })
	if selected < 0 {
		selected = d.Interval.standard
	}
	for i, s := range d.Interval.spans {
		href := d.link(d.Interval, d.Adjustment, s.Key)
		link := rangeLink{choiceLink{s.Label, href, i == selected}, s.Key, d.Instrument.First}
		if end, err := d.Interval.start(newest); err == nil && !s.all() {
			link.From = d.Interval.Name.Format(s.before(end))
		}
		d.Ranges = append(d.Ranges, link)
	}
	d.Range = d.Ranges[selected]
	if all := intervalsOf(d.Instrument.Kind); len(all) > 1 {
		for _, i := range all {
			d.Intervals = append(d.Intervals, choiceLink{i.Label, d.link(i, adjustment{}, ""), i.Name == d.Interval.Name})
		}
	}
	for _, a := range adjustmentsOf(d.Instrument.Kind, d.Interval) {
		d.Adjustments = append(d.Adjustments, choiceLink{a.Label, d.link(d.Interval, a, d.Range.Key), a.Name == d.Adjustment.Name})
	}
}

// link is the address of this page with other choices.
func (d *instrumentData) link(i interval, a adjustment, span string) string {
	query := url.Values{}
	if span != "" {
		query.Set("range", span)
	}
	if i.Name != market.Day || span == "" {
		query.Set("interval", string(i.Name))
	}
	if a.Name != "" && a.Name != adjustments[0].Name {
		query.Set("adjustment", string(a.Name))
	}
	return "?" + query.Encode()
}

// round makes adjusted prices short enough to read, and takes the change of the newest
// from them.
func (d *instrumentData) round(bars []bar) {
	roundAdjusted(&d.Stats.Min.Close, &d.Stats.Max.Close)
	for i := range bars {
		b := &bars[i]
		roundAdjusted(&b.Open, &b.High, &b.Low, &b.Close)
	}
	if len(bars) > 1 {
		// On the day of a split the traded prices have a change that is none.
		d.Quote.Change, d.Quote.ChangePercent = "", changePercent(bars[1].Close, bars[0].Close)
	}
}

// setBars takes the bars of the range, newest first.
func (d *instrumentData) setBars(bars []bar) {
	d.Total = len(bars)
	d.Unsettled = len(bars) > 0 && bars[0].Provisional
	for i, b := range bars {
		d.Candle = d.Candle || b.High != b.Low
		d.Scale = max(d.Scale, scale(b.Open, b.High, b.Low, b.Close))
		d.Volumes = max(d.Volumes, scale(b.Volume))
		if i == 0 || float(b.Low) < float(d.Low) {
			d.Low = b.Low
		}
		if i == 0 || float(b.High) > float(d.High) {
			d.High = b.High
		}
	}
	d.Volumes = min(d.Volumes, volumePlaces)
	if d.adjusted() {
		d.Volumes = 0 // there are no parts of shares but by division
	}
	d.Mean = rounded(d.Stats.Mean, d.Scale)
	d.draw(bars)
	for i, b := range bars[:min(maxRows, len(bars))] {
		row := barRow{bar: b}
		if i+1 < len(bars) {
			row.ChangePercent = changePercent(bars[i+1].Close, b.Close)
		}
		d.Rows = append(d.Rows, row)
	}
	d.setLinks()
}

// draw makes the drawing that is there without scripts.
func (d *instrumentData) draw(bars []bar) {
	oldest := slices.Clone(bars)
	slices.Reverse(oldest)
	if d.Candle {
		d.Candles = newCandles(oldest, plotWide, plotHigh)
		return
	}
	closes := make([]json.Number, len(oldest))
	for i, b := range oldest {
		closes[i] = b.Close
	}
	d.Curve = newCurve(closes, plotWide, plotHigh)
}

func (d *instrumentData) setLinks() {
	link := func(format string) string {
		query := d.query()
		query.Set("from", d.Range.From)
		query.Set("limit", strconv.Itoa(maxBars))
		query.Set("format", format)
		return "/api/v1/bars/" + d.Instrument.Symbol + "?" + query.Encode()
	}
	d.Bars = barsLinks{Query: d.query().Encode(), CSV: link("csv"), NDJSON: link("ndjson"), File: d.Instrument.Symbol}
	if d.Intraday() {
		d.Bars.File += "-" + string(d.Interval.Name)
	}
	if d.adjusted() {
		d.Bars.File += "-" + string(d.Adjustment.Name)
	}
}

// Intraday reports whether the bars are shorter than a day.
func (d *instrumentData) Intraday() bool { return d.Interval.Name != market.Day }

// Lineage is where the origin of a bar is told.
func (d *instrumentData) Lineage(start string) string {
	path := "/lineage/" + url.PathEscape(d.Instrument.Symbol) + "/" + url.PathEscape(start)
	if d.Intraday() {
		return path + "?interval=" + string(d.Interval.Name)
	}
	return path
}
