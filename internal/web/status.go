package web

import (
	"net/url"
)

// statusData is how the sources do, their recent runs, and what was found wrong.
type statusData struct {
	Runs       []run
	Quarantine []suspect
	OlderRuns  string // addresses of the next pages, or nothing
	OlderFinds string
}

func status(c *call) (view, error) {
	runs, err := get[runsAnswer](c, "/runs", pageOf("20", c.FormValue("runs")))
	if err != nil {
		return view{}, err
	}
	found, err := get[quarantineAnswer](c, "/quarantine", pageOf("20", c.FormValue("quarantine")))
	if err != nil {
		return view{}, err
	}
	data := statusData{Runs: runs.Runs, Quarantine: found.Quarantine}
	if runs.Next != "" {
		data.OlderRuns = "/status?" + url.Values{"runs": {runs.Next}}.Encode() + "#runs"
	}
	if found.Next != "" {
		data.OlderFinds = "/status?" + url.Values{"quarantine": {found.Next}}.Encode() + "#quarantine"
	}
	return view{Template: "status", Title: "Status", Data: data}, nil
}

func pageOf(limit, cursor string) url.Values {
	query := url.Values{"limit": {limit}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return query
}

// State is how a source does, as a class name.
func (s source) State() string {
	switch {
	case s.LastRun == nil:
		return "waiting"
	case s.LastRun.Outcome != "" && s.LastRun.Outcome != "ok":
		return "failing"
	case s.Behind > 0:
		return "behind"
	}
	return "current"
}
