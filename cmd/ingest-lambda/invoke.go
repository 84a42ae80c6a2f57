package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// function runs sources for invocations, which come one after the other.
type function struct {
	ingest  *ingest.Ingester
	sources []ingest.Source
	log     *slog.Logger
	spent   func(ctx context.Context, source string, day market.Date) (int, error)
	metrics io.Writer
	stop    context.Context // ends when the process has to
	running sync.Mutex      // held while a run is under way
}

// A run leaves a share of its time, and no more than maxMargin, to the record of how it
// ended and to the answer.
const (
	marginShare = 4
	maxMargin   = 5 * time.Second
)

// invoke is one run of one source. Its errors are of the types that result.go tells.
func (f *function) invoke(ctx context.Context, text json.RawMessage) (*result, error) {
	f.running.Lock()
	defer f.running.Unlock()
	ctx, cancel := context.WithCancel(observed(ctx))
	defer cancel()
	defer context.AfterFunc(f.stop, cancel)()
	o, err := parse(text, f.sources)
	if err != nil {
		return nil, messages.InvokeResponse_Error{Type: "malformed-event", Message: err.Error()}
	}
	run, err := f.run(ctx, o)
	if errors.Is(err, market.ErrLocked) {
		// Whoever has the lock does what this run would have done.
		return skipped(o), nil
	}
	if err != nil {
		f.log.ErrorContext(ctx, "no run", "source", o.source.Info().Name, "error", err)
		return nil, messages.InvokeResponse_Error{Type: "no-run", Message: "the store failed: see the log"}
	}
	f.measure(context.WithoutCancel(ctx), o.source.Info(), run)
	return resultOf(run)
}

func (f *function) run(ctx context.Context, o order) (market.Run, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-min(maxMargin, time.Until(deadline)/marginShare)))
		defer cancel()
	}
	if o.backfill {
		return f.ingest.Backfill(ctx, o.source, o.from, o.to)
	}
	return f.ingest.Run(ctx, o.source, o.reason)
}
