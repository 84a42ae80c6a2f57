package web

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"bourse/internal/market"
)

// overviewData is every series that goes on, by kind, and those that have ended.
type overviewData struct {
	Markets []marketRows
	Ended   []instrument
}

// marketRows is the table of one kind of instrument.
type marketRows struct {
	Kind, Heading, Note string

	Newest   string
	Up, Down int
	Rows     []quoteRow
}

type quoteRow struct {
	quote
	Scale int
	Curve curve
}

const (
	sparkCloses = 60 // about three months of trading days
	sparkWidth  = 120
	sparkHeight = 32
)

func overview(c *call) (view, error) {
	quotes, err := get[quotesAnswer](c, "/quotes", url.Values{"history": {strconv.Itoa(sparkCloses)}})
	if err != nil {
		return view{}, err
	}
	ended, err := endedInstruments(c)
	if err != nil {
		return view{}, err
	}
	data := overviewData{Markets: newMarkets(quotes.Quotes), Ended: ended}
	return view{Template: "overview", Title: "Market overview", Data: data}, nil
}

func endedInstruments(c *call) ([]instrument, error) {
	answer, err := get[instrumentsAnswer](c, "/instruments", url.Values{"limit": {"1000"}})
	return slices.DeleteFunc(answer.Instruments, func(i instrument) bool { return !i.Ended }), err
}

// newMarkets splits the quotes into a table for each kind.
func newMarkets(quotes []quote) []marketRows {
	markets := []marketRows{
		{Kind: string(market.FX), Heading: "Exchange rates",
			Note: "Each value is the price of one unit of the first currency in the second: EURUSD is US dollars for one euro."},
		{Kind: string(market.Crypto), Heading: "Crypto"},
		{Kind: string(market.Equity), Heading: "Shares"},
	}
	for _, q := range quotes {
		for i := range markets {
			if markets[i].Kind == q.Kind {
				markets[i].add(q)
			}
		}
	}
	return slices.DeleteFunc(markets, func(m marketRows) bool { return len(m.Rows) == 0 })
}

func (m *marketRows) add(q quote) {
	m.Newest = max(m.Newest, q.Start)
	switch direction(q.Change) {
	case "up":
		m.Up++
	case "down":
		m.Down++
	}
	m.Rows = append(m.Rows, quoteRow{
		quote: q,
		Scale: scale(append([]json.Number{q.Close, q.Previous}, q.History...)...),
		Curve: newCurve(q.History, sparkWidth, sparkHeight),
	})
}
