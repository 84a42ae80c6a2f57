package wire

import "bourse/internal/market"

// RunLine is a run as commands write it.
type RunLine struct {
	Source          string         `json:"source"`
	Trigger         string         `json:"trigger"`
	Run             int64          `json:"run"`
	Outcome         market.Outcome `json:"outcome"`
	Error           string         `json:"error"`
	Requests        int            `json:"requests"`
	Payloads        int            `json:"payloads"`
	Bars            int            `json:"bars"`
	Inserted        int            `json:"inserted"`
	Revised         int            `json:"revised"`
	Unchanged       int            `json:"unchanged"`
	Rejected        int            `json:"rejected"`
	Flagged         int            `json:"flagged"`
	Newest          *string        `json:"newest"`
	DurationSeconds float64        `json:"duration_seconds"`
}

// LineOf returns the line of a run.
func LineOf(r market.Run) RunLine {
	line := RunLine{
		Source: r.Source, Trigger: r.Trigger, Run: r.ID, Outcome: r.Outcome, Error: r.Error, Requests: r.Requests, Payloads: r.Payloads,
		Bars: r.Bars, Inserted: r.Inserted, Revised: r.Revised, Unchanged: r.Unchanged, Rejected: r.Rejected, Flagged: r.Flagged,
		DurationSeconds: r.Finished.Sub(r.Started).Seconds(),
	}
	if !r.Newest.IsZero() {
		newest := market.DateOf(r.Newest).String()
		line.Newest = &newest
	}
	return line
}
