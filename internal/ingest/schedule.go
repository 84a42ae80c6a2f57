package ingest

import (
	"context"
	"errors"
	"time"

	"bourse/internal/market"
)

// How long to wait for the next run.
const (
	pollEvery   = 5 * time.Minute // while a publication is due
	pollFor     = 2 * time.Hour
	lateEvery   = time.Hour // when it is late
	retryEvery  = 2 * time.Minute
	personEvery = 6 * time.Hour // someone may have mended it upstream
)

// NextRun returns when the run after r is due: when the source publishes next or is to
// be polled, and sooner while its newest values are awaited or something failed.
func NextRun(src market.Source, r market.Run, now time.Time) time.Time {
	expected := src.Expected(now)
	next := src.Published(src.Calendar.After(expected))
	if src.Poll > 0 {
		next = now.Truncate(src.Poll).Add(src.Poll)
	}
	sooner := func(t time.Time) time.Time {
		if t.Before(next) {
			return t
		}
		return next
	}
	switch r.Outcome {
	case market.OK:
		if src.Poll > 0 || r.Newest.IsZero() || market.DateOf(r.Newest) >= expected {
			return next
		}
		if now.Before(src.Published(expected).Add(pollFor)) {
			return sooner(now.Add(pollEvery))
		}
		return sooner(now.Add(lateEvery))
	case market.RetryAfter, market.QuotaUntil, market.Interrupted:
		if again := now.Add(retryWait(src)); r.RetryAt.Before(again) {
			return sooner(again)
		}
		return r.RetryAt
	}
	return sooner(now.Add(personEvery))
}

// retryWait is how long to wait after a failure that may pass: such that a source that
// goes on failing does not use up a quota before the day is over.
func retryWait(src market.Source) time.Duration {
	if src.Limits.PerDay > 0 {
		return max(retryEvery, fewAttempts*24*time.Hour/time.Duration(src.Limits.PerDay))
	}
	return retryEvery
}

// Follow keeps a source up to date until ctx ends: a run at once, to catch up, then
// one whenever it is due. While nothing has answered and the store is empty, the
// stand-in takes its place.
func (in *Ingester) Follow(ctx context.Context, src Source, standIn StandIn) {
	info := src.Info()
	for trigger := "start"; ctx.Err() == nil; trigger = "schedule" {
		run, err := in.Run(ctx, src, trigger)
		next := NextRun(info, run, in.cfg.Now())
		if err != nil {
			next = in.cfg.Now().Add(retryWait(info))
			if ctx.Err() == nil && !errors.Is(err, market.ErrLocked) {
				in.cfg.Logger.ErrorContext(ctx, "no run", "source", info.Name, "error", err)
			}
		} else if run.Outcome != market.OK && ctx.Err() == nil {
			in.simulate(ctx, standIn)
		}
		in.sleepUntil(ctx, next)
	}
}

// sleepUntil waits for a time of the wall clock, or for ctx to end. It looks at the
// clock again and again, because timers stand still while a laptop is asleep.
func (in *Ingester) sleepUntil(ctx context.Context, t time.Time) {
	for {
		left := t.Round(0).Sub(in.cfg.Now().Round(0))
		if left <= 0 {
			return
		}
		select {
		case <-time.After(min(left, time.Minute)):
		case <-ctx.Done():
			return
		}
	}
}
