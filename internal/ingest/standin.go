package ingest

import (
	"context"
	"errors"
	"time"

	"bourse/internal/market"
)

// StandIn is a source without an upstream, shown while no real one has answered.
type StandIn interface {
	Source
	// Payload returns what the source says at a time.
	Payload(now time.Time) (resource string, body []byte)
}

// simulate loads the stand-in into an empty store. The store drops it in the
// transaction that brings the first real bars, and keeps it out after that.
func (in *Ingester) simulate(ctx context.Context, src StandIn) {
	there, err := in.cfg.Store.Instruments(ctx, market.InstrumentQuery{Limit: 1})
	if err == nil && len(there) == 0 {
		in.cfg.Logger.WarnContext(ctx, "no source has answered and the store is empty: serving SIMULATED data")
		_, err = in.record(ctx, src, "start", func(ctx context.Context, run *market.Run) error {
			resource, body := src.Payload(in.cfg.Now())
			run.Payloads++
			p := market.Payload{
				RunID: run.ID, Source: run.Source, Resource: resource, URL: "simulated:" + resource, Status: 200,
				ReceivedAt: in.cfg.Now().UTC(), SHA256: market.SHA256(body), Size: int64(len(body)),
			}
			if err := in.cfg.Archive.Put(ctx, p, body); err != nil {
				return err
			}
			return in.load(ctx, src, run, p, body, map[market.SeriesKey]market.Bar{})
		})
	}
	if err != nil && !errors.Is(err, market.ErrLocked) {
		in.cfg.Logger.ErrorContext(ctx, "no simulated data", "error", err)
	}
}
