package api

import (
	"net/http"
	"time"

	"bourse/internal/market"
)

type actionJSON struct {
	Kind    market.ActionKind `json:"kind"`
	Day     string            `json:"day"`
	Value   number            `json:"value"`
	KnownAt time.Time         `json:"known_at"`
	SHA256  string            `json:"sha256"`
}

func (a *API) actions(r *http.Request) (*answer, error) {
	p := read(r, "as_of")
	asOf := p.instant("as_of")
	if p.err != nil {
		return nil, p.err
	}
	i, err := a.readable(r)
	if err != nil {
		return nil, err
	}
	lists, err := a.cfg.Store.Actions(r.Context(), i.Symbol, asOf)
	if err != nil {
		return nil, err
	}
	rows := []actionJSON{}
	for _, l := range lists {
		for _, action := range l.Actions {
			rows = append(rows, actionJSON{l.Kind, action.Day.String(), number(action.Value), l.KnownAt, l.SHA256})
		}
	}
	out, err := listOf("actions", rows, "")
	return &answer{list: out, lasting: true}, err
}
