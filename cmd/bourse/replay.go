package main

import (
	"context"
	"flag"

	"bourse/internal/ingest"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (c cli) replay() *ffcli.Command {
	fs := flag.NewFlagSet("replay", flag.ContinueOnError)
	var since day
	fs.Var(&since, "since", "`date` of the first receipts (default the oldest)")
	return c.verb(fs, "load the archive again",
		"Replay takes what the archive has received since a date through the same steps as when\n"+
			"it came. What the store has already is left alone; an empty store becomes what it was.\n"+
			"It can be interrupted and repeated.",
		func(ctx context.Context, j *job) error {
			if err := j.store.Migrate(ctx); err != nil {
				return err
			}
			return j.each(func(src ingest.Source) error {
				record, err := j.ingest.Replay(ctx, src, since.date.Time())
				return j.ran(record, err)
			})
		})
}
