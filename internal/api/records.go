package api

import (
	"net/http"
	"strconv"
	"time"

	"bourse/internal/market"
)

type runJSON struct {
	ID         int64          `json:"id"`
	Source     string         `json:"source"`
	Trigger    string         `json:"trigger"`
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	Outcome    market.Outcome `json:"outcome"`
	Error      string         `json:"error"`
	RetryAt    *time.Time     `json:"retry_at"`
	Requests   int            `json:"requests"`
	Payloads   int            `json:"payloads"`
	Bars       int            `json:"bars"`
	Inserted   int            `json:"inserted"`
	Revised    int            `json:"revised"`
	Unchanged  int            `json:"unchanged"`
	Rejected   int            `json:"rejected"`
	Flagged    int            `json:"flagged"`
	Newest     *string        `json:"newest"`
	LagSeconds float64        `json:"lag_seconds"`
}

func runOf(r market.Run) runJSON {
	return runJSON{
		ID: r.ID, Source: r.Source, Trigger: r.Trigger, StartedAt: r.Started, FinishedAt: instantOf(r.Finished),
		Outcome: r.Outcome, Error: r.Error, RetryAt: instantOf(r.RetryAt), Requests: r.Requests, Payloads: r.Payloads,
		Bars: r.Bars, Inserted: r.Inserted, Revised: r.Revised, Unchanged: r.Unchanged, Rejected: r.Rejected,
		Flagged: r.Flagged, Newest: dateOf(r.Newest), LagSeconds: r.Lag.Seconds(),
	}
}

type quarantinedJSON struct {
	ID       int64           `json:"id"`
	Source   string          `json:"source"`
	Symbol   string          `json:"symbol"`
	Interval market.Interval `json:"interval"`
	Start    string          `json:"start"`
	Raw      string          `json:"raw"`
	Reason   string          `json:"reason"`
	Loaded   bool            `json:"loaded"`
	Run      int64           `json:"run"`
	Payload  string          `json:"payload"`
	FoundAt  time.Time       `json:"found_at"`
}

func quarantinedOf(q market.Quarantined) quarantinedJSON {
	return quarantinedJSON{
		ID: q.ID, Source: q.Source, Symbol: q.Symbol, Interval: q.Interval, Start: q.Interval.Format(q.Start),
		Raw: q.Raw, Reason: q.Reason, Loaded: q.Loaded, Run: q.RunID, Payload: q.SHA256, FoundAt: q.FoundAt,
	}
}

func (a *API) runs(r *http.Request) (*answer, error) {
	p, q := recordQuery(r)
	if p.err != nil {
		return nil, p.err
	}
	found, err := a.cfg.Store.Runs(r.Context(), q)
	if err != nil {
		return nil, err
	}
	return records(r, p, q, "runs", found, runOf, func(v market.Run) int64 { return v.ID })
}

func (a *API) quarantine(r *http.Request) (*answer, error) {
	p, q := recordQuery(r)
	if p.err != nil {
		return nil, p.err
	}
	found, err := a.cfg.Store.Quarantine(r.Context(), q)
	if err != nil {
		return nil, err
	}
	closed := map[string]bool{} // sources whose values the caller may not read
	for i, v := range found {
		if _, known := closed[v.Source]; !known {
			licence, err := a.licenceOf(r.Context(), v.Source)
			if err != nil {
				return nil, err
			}
			closed[v.Source] = callerOf(r.Context()).mayRead(v.Source, licence) != nil
		}
		if closed[v.Source] {
			found[i].Raw = ""
		}
	}
	return records(r, p, q, "quarantine", found, quarantinedOf, func(v market.Quarantined) int64 { return v.ID })
}

// recordQuery reads a query for records. It asks for one more than the page has, to
// know whether there is a next one.
func recordQuery(r *http.Request) (*params, market.RecordQuery) {
	p := read(r, "source", "limit", "cursor")
	return p, market.RecordQuery{
		Source: p.text("source"), Before: p.cursorNumber(r), Limit: p.number("limit", 50, 1, 1000) + 1,
	}
}

func records[T, J any](r *http.Request, p *params, q market.RecordQuery, name string, found []T, convert func(T) J, id func(T) int64) (*answer, error) {
	var next string
	if size := q.Limit - 1; len(found) > size {
		found = found[:size]
		next = p.nextCursor(r, strconv.FormatInt(id(found[size-1]), 10))
	}
	rows := make([]J, len(found))
	for i, v := range found {
		rows[i] = convert(v)
	}
	l, err := listOf(name, rows, next)
	return &answer{list: l, lasting: true}, err
}
