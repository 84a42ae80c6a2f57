package api

import (
	"fmt"
	"net/http"
	"time"

	"bourse/internal/market"
)

type sourceJSON struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Homepage    string          `json:"homepage"`
	Attribution string          `json:"attribution"`
	Licence     market.Licence  `json:"licence"`
	Calendar    market.Calendar `json:"calendar"`
	Publishes   string          `json:"publishes"`
	NextRun     *time.Time      `json:"next_run"`
	Newest      *string         `json:"newest"`
	Expected    string          `json:"expected"`
	Behind      int             `json:"behind"` // publications that should be here and are not
	Instruments int             `json:"instruments"`
	Ended       int             `json:"ended"`
	Bars        int64           `json:"bars"`
	Revisions   int64           `json:"revisions"`
	Rejected    int64           `json:"rejected"`
	Flagged     int64           `json:"flagged"`
	LastRun     *runJSON        `json:"last_run"`
	LastOK      *runJSON        `json:"last_ok"`
}

func (a *API) sources(r *http.Request) (*answer, error) {
	if p := read(r); p.err != nil {
		return nil, p.err
	}
	found, err := a.cfg.Store.Sources(r.Context())
	if err != nil {
		return nil, err
	}
	rows := make([]sourceJSON, len(found))
	for i, s := range found {
		rows[i] = sourceOf(s, a.cfg.Now())
	}
	l, err := listOf("sources", rows, "")
	return &answer{list: l}, err
}

func sourceOf(s market.SourceStatus, now time.Time) sourceJSON {
	expected := s.Expected(now)
	out := sourceJSON{
		Name: s.Name, Title: s.Title, Homepage: s.Homepage, Attribution: s.Attribution, Licence: s.Licence, Calendar: s.Calendar,
		Publishes: fmt.Sprintf("%02d:%02d %s", s.PublishAt/time.Hour, s.PublishAt%time.Hour/time.Minute, s.Zone),
		NextRun:   instantOf(s.NextRun), Newest: dateOf(s.Newest), Expected: expected.String(),
		Instruments: s.Instruments, Ended: s.Ended, Bars: s.Bars, Revisions: s.Revisions, Rejected: s.Rejected, Flagged: s.Flagged,
	}
	if !s.Newest.IsZero() {
		out.Behind = len(s.Calendar.Days(market.DateOf(s.Newest)+1, expected))
	}
	if s.LastRun != nil {
		last := runOf(*s.LastRun)
		out.LastRun = &last
	}
	if s.LastOK != nil {
		last := runOf(*s.LastOK)
		out.LastOK = &last
	}
	return out
}
