package ingest

import (
	"cmp"
	"context"

	"bourse/internal/market"
)

// Backfill fetches what a source has from one day to another, whatever the store has,
// and loads it through the same steps as a run. Whole payloads are loaded, since
// lineage leads to whole payloads: the store may get more than was asked for. What is
// there already is left alone, so it is harmless to repeat.
func (in *Ingester) Backfill(ctx context.Context, src Source, from, to market.Date) (market.Run, error) {
	return in.record(ctx, src, "backfill", func(ctx context.Context, run *market.Run) error {
		have, err := in.cfg.Store.Coverage(ctx, src.Info())
		if err != nil {
			return err
		}
		w := work{Ingester: in, src: src, info: src.Info(), run: run, failed: map[string]bool{}}
		return cmp.Or(w.fetch(ctx, src.Span(from, to, in.cfg.Now()), have.Latest), w.held)
	})
}
