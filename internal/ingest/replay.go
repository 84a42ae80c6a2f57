package ingest

import (
	"context"
	"fmt"
	"time"

	"bourse/internal/market"
)

// Replay loads what the archive has of a source since a day, through the same steps
// as a run and in the order of receipt. What the store has already is left alone; an
// empty store becomes what it was. Payloads that were refused are refused again.
//
// Bytes that cannot be had do not keep the rest out of a store that is to be rebuilt:
// they are named in the log, and the run needs a person. A later replay fills in what
// was left out.
func (in *Ingester) Replay(ctx context.Context, src Source, since time.Time) (market.Run, error) {
	return in.record(ctx, src, "replay", func(ctx context.Context, run *market.Run) error {
		have, err := in.cfg.Store.Coverage(ctx, src.Info())
		if err != nil {
			return err
		}
		lost := 0
		for p, err := range in.cfg.Archive.Receipts(ctx, run.Source, since) {
			if err != nil {
				return err
			}
			in.cfg.Progress(Progress{Source: run.Source, Step: "replay", Done: run.Payloads, Item: p.ReceivedAt.Format(time.DateTime) + " " + p.Resource})
			body, err := in.cfg.Archive.Get(ctx, p.Source, p.SHA256)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				lost++
				in.cfg.Logger.ErrorContext(ctx, "payload cannot be replayed", "source", run.Source, "run", run.ID,
					"resource", p.Resource, "sha256", p.SHA256, "received_at", p.ReceivedAt, "error", err)
				continue
			}
			run.Payloads++
			p.RunID = run.ID
			err = in.load(ctx, src, run, p, body, have.Latest)
			if err != nil && !isFailure(err) {
				return err
			}
		}
		if lost > 0 {
			return &market.Failure{Outcome: market.NeedsPerson, Reason: fmt.Sprintf("%d payloads cannot be read from the archive", lost)}
		}
		return nil
	})
}
