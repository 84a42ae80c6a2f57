package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"bourse/internal/market"
)

const (
	maxSymbols = 200
	maxHistory = 400
)

type quoteJSON struct {
	Symbol        string      `json:"symbol"`
	Name          string      `json:"name"`
	Kind          market.Kind `json:"kind"`
	Base          string      `json:"base"`
	Quote         string      `json:"quote"`
	Source        string      `json:"source"`
	Start         string      `json:"start"`
	Close         number      `json:"close"`
	Previous      *number     `json:"previous"`
	Change        *number     `json:"change"`
	ChangePercent *float64    `json:"change_percent"`
	Ended         bool        `json:"ended"`
	Provisional   bool        `json:"provisional"`
	History       []number    `json:"history,omitempty"`
}

func (a *API) quotes(r *http.Request) (*answer, error) {
	p := read(r, "symbols", "history")
	history := p.number("history", 0, 0, maxHistory)
	if p.err != nil {
		return nil, p.err
	}
	found, err := a.quoted(r.Context(), p.text("symbols"))
	if err != nil {
		return nil, err
	}
	rows := make([]quoteJSON, 0, len(found))
	var next time.Time
	sources := map[string]bool{}
	for _, i := range found {
		bars, err := a.newest(r.Context(), i, max(2, history))
		if err != nil {
			return nil, err
		}
		if len(bars) > 0 {
			rows = append(rows, quoteOf(i, bars, history))
		}
		if sources[i.Source] {
			continue
		}
		sources[i.Source] = true
		until, err := a.cfg.Store.NextRun(r.Context(), i.Source)
		if err != nil {
			return nil, err
		}
		if len(sources) == 1 || until.Before(next) {
			next = until
		}
	}
	l, err := listOf("quotes", rows, "")
	return &answer{list: l, lifetime: lifetime{until: next}, lasting: true}, err
}

// newest returns the newest daily bars of an instrument, newest first. Those of shares are
// adjusted for splits, so that one does not look like a fall.
func (a *API) newest(ctx context.Context, i market.Instrument, n int) ([]market.Bar, error) {
	q := market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Descending: true, Limit: n}
	if i.Kind != market.Equity {
		return a.cfg.Store.Bars(ctx, q)
	}
	q.From = i.Last.AddDate(0, 0, -2*n-14) // so many sessions at least
	return a.adjusted(ctx, q, market.SplitOnly)
}

// quoted returns the instruments that were asked for; where none were, all that have
// not ended and that the caller may read.
func (a *API) quoted(ctx context.Context, symbols string) ([]market.Instrument, error) {
	if symbols == "" {
		all, err := a.cfg.Store.Instruments(ctx, market.InstrumentQuery{Limit: 1000})
		active := all[:0]
		for _, i := range all {
			if !i.Ended && callerOf(ctx).mayRead(i.Source, i.Licence) == nil {
				active = append(active, i)
			}
		}
		return active, err
	}
	names := strings.Split(symbols, ",")
	if len(names) > maxSymbols {
		return nil, badParameter.of("symbols", "it has %d symbols, at most %d are answered", len(names), maxSymbols)
	}
	var list []market.Instrument
	for _, name := range names {
		i, err := a.cfg.Store.Instrument(ctx, name)
		if err != nil {
			return nil, orNotFound(err, unknownSymbol.of("symbols", "%q is not an instrument here.", clip(name)))
		}
		if err := callerOf(ctx).mayRead(i.Source, i.Licence); err != nil {
			return nil, err
		}
		list = append(list, i)
	}
	return list, nil
}

// quoteOf makes a quote of bars that are newest first.
func quoteOf(i market.Instrument, bars []market.Bar, history int) quoteJSON {
	q := quoteJSON{
		Symbol: i.Symbol, Name: i.Name, Kind: i.Kind, Base: i.Base, Quote: i.Quote, Source: i.Source,
		Start: market.Day.Format(bars[0].Start), Close: number(bars[0].Close),
		Ended: i.Ended, Provisional: bars[0].Provisional,
	}
	if len(bars) > 1 {
		previous := number(bars[1].Close)
		q.Previous = &previous
		if d, err := bars[0].Close.Sub(bars[1].Close); err == nil {
			change := number(d.Trim(0))
			q.Change = &change
		}
		q.ChangePercent = rounded(100 * (float(bars[0].Close)/float(bars[1].Close) - 1))
	}
	for n := min(history, len(bars)) - 1; n >= 0; n-- {
		q.History = append(q.History, number(bars[n].Close))
	}
	return q
}

func float(d market.Decimal) float64 {
	f, _ := d.Float64()
	return f
}
