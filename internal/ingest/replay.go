package ingest

import (
	"context"
	"time"

	"bourse/internal/market"
)

// Replay loads what the archive has of a source since a day, through the same steps
// as a run and in the order of receipt. What the store has already is left alone; an
// empty store becomes what it was. Payloads that were refused are refused again.
func (in *Ingester) Replay(ctx context.Context, src Source, since time.Time) (market.Run, error) {
	return in.record(ctx, src, "replay", func(run *market.Run) error {
		for p, err := range in.cfg.Archive.Receipts(ctx, run.Source, since) {
			if err != nil {
				return err
			}
			body, err := in.cfg.Archive.Get(ctx, p.Source, p.SHA256)
			if err != nil {
				return err
			}
			have, err := in.cfg.Store.Coverage(ctx, run.Source)
			if err != nil {
				return err
			}
			run.Payloads++
			p.RunID = run.ID
			err = in.load(ctx, src, run, p, body, have)
			if err != nil && !isFailure(err) {
				return err
			}
		}
		return nil
	})
}
