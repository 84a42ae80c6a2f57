package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"bourse/cmd/internal/wire"
	"bourse/internal/ingest"
	"bourse/internal/market"
)

// event is what an invocation is told, by the schedule or by a person.
type event struct {
	Source string `json:"source"`
	// Window is two days, both included, as 2026-04-01/2026-04-13: a backfill. Where it is
	// empty the run goes on where the last one ended.
	Window string `json:"window"`
	// Reason becomes the trigger of the run, but for a backfill, whose trigger says so.
	Reason string `json:"reason"`
}

var reasonPattern = regexp.MustCompile(`^[a-z][a-z-]{0,31}$`)

// order is an event that makes sense.
type order struct {
	source   ingest.Source
	reason   string
	backfill bool
	from, to market.Date
}

// parse reads an event. Errors are for whoever sent it.
func parse(text []byte, sources []ingest.Source) (order, error) {
	var e event
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return order{}, fmt.Errorf(`an event is like {"source":"ecb","window":"","reason":"schedule"}: %w`, err)
	}
	if e.Source == "" {
		return order{}, fmt.Errorf("the event names no source")
	}
	if !reasonPattern.MatchString(e.Reason) {
		return order{}, fmt.Errorf("the event's reason is a word as schedule or redrive")
	}
	chosen, err := wire.Choose(sources, e.Source)
	if err != nil {
		return order{}, err
	}
	o := order{source: chosen[0], reason: e.Reason, backfill: e.Window != ""}
	if !o.backfill {
		return o, nil
	}
	from, to, _ := strings.Cut(e.Window, "/")
	if o.from, err = market.ParseDate(from); err == nil {
		o.to, err = market.ParseDate(to)
	}
	if err != nil || o.from > o.to {
		return order{}, fmt.Errorf("the event's window is two days as 2026-04-01/2026-04-13, the first not after the last")
	}
	return o, nil
}
