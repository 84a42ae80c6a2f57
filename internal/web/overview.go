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
	Locked   []instrument // whose values the reader may not see
}

// Count is how many series the table has.
func (m marketRows) Count() int { return len(m.Rows) + len(m.Locked) }

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
	all, err := get[instrumentsAnswer](c, "/instruments", url.Values{"limit": {"1000"}})
	if err != nil {
		return view{}, err
	}
	data := newOverview(quotes.Quotes, all.Instruments)
	return view{Template: "overview", Title: "Market overview", Data: data}, nil
}

// newOverview splits the quotes into a table for each kind, with the instruments that
// have values but no quote for this reader behind them.
func newOverview(quotes []quote, all []instrument) overviewData {
	markets := []marketRows{
		{Kind: string(market.FX), Heading: "Exchange rates",
			Note: "Each value is the price of one unit of the first currency in the second: EURUSD is US dollars for one euro."},
		{Kind: string(market.Crypto), Heading: "Crypto"},
		{Kind: string(market.Equity), Heading: "Shares"},
	}
	var ended []instrument
	quoted := make(map[string]bool, len(quotes))
	for _, q := range quotes {
		quoted[q.Symbol] = true
	}
	for i := range markets {
		m := &markets[i]
		for _, q := range quotes {
			if q.Kind == m.Kind {
				m.add(q)
			}
		}
		for _, in := range all {
			if in.Kind == m.Kind && in.locked() && !quoted[in.Symbol] {
				m.Locked = append(m.Locked, in)
			}
		}
	}
	for _, in := range all {
		if in.Ended {
			ended = append(ended, in)
		}
	}
	markets = slices.DeleteFunc(markets, func(m marketRows) bool { return m.Count() == 0 })
	return overviewData{Markets: markets, Ended: ended}
}

// locked reports whether an instrument that has no quote has none because the reader
// may not see it, not because it has no value yet.
func (in instrument) locked() bool {
	return in.Licence == string(market.Internal) && in.Last != "" && !in.Ended
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
