package ingest

import (
	"context"

	"bourse/internal/market"
)

// Backfill fetches what a source has from one day to another, whatever the store has,
// and loads it through the same steps as a run. Whole payloads are loaded, since
// lineage leads to whole payloads: the store may get more than was asked for. What is
// there already is left alone, so it is harmless to repeat.
func (in *Ingester) Backfill(ctx context.Context, src Source, from, to market.Date) (market.Run, error) {
	return in.record(ctx, src, "backfill", func(run *market.Run) error {
		have, err := in.cfg.Store.Coverage(ctx, run.Source)
		if err != nil {
			return err
		}
		requests := src.Span(from, to, in.cfg.Now())
		for i, req := range requests {
			in.cfg.Progress(Progress{Source: run.Source, Step: "fetch", Done: i, Total: len(requests), Item: req.Resource})
			if err := in.fetch(ctx, src, run, req, have.Latest); err != nil {
				return err
			}
		}
		return nil
	})
}
