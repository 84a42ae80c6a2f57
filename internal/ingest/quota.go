package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"bourse/internal/market"
)

// sentTimes are when each source was sent its last request by this process.
type sentTimes struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (s *sentTimes) get(source string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[source]
}

func (s *sentTimes) set(source string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	s.last[source] = at
}

// admit waits until a source may be sent the next request, and takes it from the quota
// of the day where there is one. The quota is kept in the store, so that it holds for
// all processes and after a restart.
func (in *Ingester) admit(ctx context.Context, src market.Source) error {
	now := in.cfg.Now()
	last := in.sent.get(src.Name)
	at := last.Add(src.Limits.Every)
	if src.Limits.PerDay > 0 {
		before, err := in.cfg.Store.Spend(ctx, src.Name, src.QuotaDay(now), src.Limits.PerDay, now)
		if errors.Is(err, market.ErrQuota) {
			return &market.Failure{
				Outcome: market.QuotaUntil, Reason: fmt.Sprintf("the %d requests of the day are used up", src.Limits.PerDay), Err: err,
			}
		}
		if err != nil {
			return err
		}
		// Another process sent its last request at most so long after it had taken it. Its
		// clock may be ahead.
		if last.IsZero() {
			at = slices.MinFunc([]time.Time{before, now}, time.Time.Compare).Add(2 * src.Limits.Every)
		}
	}
	if wait := at.Sub(now); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	in.sent.set(src.Name, in.cfg.Now())
	return nil
}
