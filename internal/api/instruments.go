package api

import (
	"net/http"

	"bourse/internal/market"
)

type instrumentJSON struct {
	Symbol   string          `json:"symbol"`
	Name     string          `json:"name"`
	Kind     market.Kind     `json:"kind"`
	Base     string          `json:"base"`
	Quote    string          `json:"quote"`
	Source   string          `json:"source"`
	Calendar market.Calendar `json:"calendar"`
	Licence  market.Licence  `json:"licence"`
	First    *string         `json:"first"`
	Last     *string         `json:"last"`
	Ended    bool            `json:"ended"`
}

func instrumentOf(i market.Instrument) instrumentJSON {
	return instrumentJSON{
		Symbol: i.Symbol, Name: i.Name, Kind: i.Kind, Base: i.Base, Quote: i.Quote, Source: i.Source,
		Calendar: i.Calendar, Licence: i.Licence, Ended: i.Ended,
		First: dateOf(i.First), Last: dateOf(i.Last),
	}
}

func (a *API) instruments(r *http.Request) (*answer, error) {
	p := read(r, "kind", "source", "q", "limit", "cursor")
	q := market.InstrumentQuery{
		Source: p.text("source"),
		Kind:   market.Kind(p.oneOf("kind", "", string(market.FX), string(market.Crypto), string(market.Equity))),
		Text:   p.text("q"),
		After:  p.cursor(r),
		Limit:  p.number("limit", 1000, 1, 1000),
	}
	if p.err != nil {
		return nil, p.err
	}
	limit := q.Limit
	q.Limit++
	found, err := a.cfg.Store.Instruments(r.Context(), q)
	if err != nil {
		return nil, err
	}
	var next string
	if len(found) > limit {
		found = found[:limit]
		next = p.nextCursor(r, found[limit-1].Symbol)
	}
	rows := make([]instrumentJSON, len(found))
	for i := range found {
		rows[i] = instrumentOf(found[i])
	}
	l, err := listOf("instruments", rows, next)
	return &answer{list: l, lasting: true}, err
}

func (a *API) instrument(r *http.Request) (*answer, error) {
	if p := read(r); p.err != nil {
		return nil, p.err
	}
	i, err := a.find(r)
	if err != nil {
		return nil, err
	}
	return &answer{value: instrumentOf(i), lasting: true}, nil
}

// readable returns the instrument that the path names, where the caller may read its
// values.
func (a *API) readable(r *http.Request) (market.Instrument, error) {
	i, err := a.find(r)
	if err != nil {
		return i, err
	}
	return i, callerOf(r.Context()).mayRead(i.Source, i.Licence)
}

// find returns the instrument that the path names.
func (a *API) find(r *http.Request) (market.Instrument, error) {
	name, err := symbol(r)
	if err != nil {
		return market.Instrument{}, err
	}
	i, err := a.cfg.Store.Instrument(r.Context(), name)
	return i, orNotFound(err, unknownSymbol.of("symbol", "%s is not an instrument here; /api/v1/instruments lists them.", name))
}
