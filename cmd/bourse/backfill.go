package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"bourse/cmd/internal/wire"
	"bourse/internal/ingest"
	"bourse/internal/market"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (c cli) backfill() *ffcli.Command {
	fs := flag.NewFlagSet("backfill", flag.ContinueOnError)
	var from, to day
	fs.Var(&from, "from", "first `date`, like 2006-01-02 (default the source's first)")
	fs.Var(&to, "to", "last `date` (default today)")
	return c.verb(fs, "fetch a span of days again, whatever the store has",
		"Backfill fetches what the sources have between two dates, archives and loads it. What\n"+
			"the store has already is left alone, so it can be interrupted and repeated. A source\n"+
			"may give more days than were asked for; they are loaded too.",
		func(ctx context.Context, j *job) error {
			if !to.set {
				to.date = market.DateOf(time.Now())
			}
			if from.date > to.date {
				return fmt.Errorf("-from %s is after -to %s", from.date, to.date)
			}
			if err := j.store.Migrate(ctx); err != nil {
				return err
			}
			return j.each(func(src ingest.Source) error {
				record, err := j.ingest.Backfill(ctx, src, from.date, to.date)
				return j.ran(record, err)
			})
		})
}

// ran writes the record of a run. One that did not succeed is an error too.
func (j *job) ran(r market.Run, err error) error {
	if err != nil {
		return err
	}
	if err := j.out.Encode(wire.LineOf(r)); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	switch r.Outcome {
	case market.OK:
		return nil
	case market.Interrupted:
		return context.Canceled
	}
	return fmt.Errorf("run %d of %s: %s: %s", r.ID, r.Source, r.Outcome, r.Error)
}
