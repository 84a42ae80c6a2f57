package drills

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// load is clients that read the dashboard and the API as fast as they are answered, each
// over a connection that it keeps.
type load struct {
	t      *testing.T
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu     sync.Mutex
	failed []failure
	took   []time.Duration
	ended  []time.Time // in this order
}

// failure is a request that failed.
type failure struct {
	at  time.Time
	err error
}

// failures returns when the first and the last request failed; both are zero where none did.
func (l *load) failures() (first, last time.Time) {
	if len(l.failed) == 0 {
		return first, last
	}
	return l.failed[0].at, l.failed[len(l.failed)-1].at
}

// paths are what clients read: mostly small answers, as scripts of a page ask for, and a
// page now and then.
var paths = []string{
	"/api/v1/bars/EURUSD?limit=100&order=desc", "/api/v1/quotes?symbols=EURUSD,EURJPY", "/api/v1/instruments/EURUSD",
	"/api/v1/convert?from=USD&to=JPY&amount=100&date=2008-09-15", "/api/v1/stats/EURUSD?from=2026-01-01",
	"/api/v1/quotes?symbols=EURCHF", "/api/v1/bars/EURCHF?from=2015-01-01&to=2015-02-01", "/api/v1/lineage/EURCHF/2015-01-15",
	"/api/v1/instruments?limit=5", "/convert?from=USD&to=JPY&amount=100", "/instruments/EURUSD",
}

// start lets clients read through the dashboard's Service until stop, or until the test
// ends.
func (c *cluster) start(t *testing.T, clients int) *load {
	t.Helper()
	return c.startAt(t, c.url, clients, 0)
}

// retryAfter is how long a client waits before it tries a read again: longer than a
// balancer takes to notice that a target is gone.
const retryAfter = 6 * time.Second

// startAt lets clients read at a URL. A read that fails is tried again so often.
func (c *cluster) startAt(t *testing.T, url string, clients, retries int) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{t: t, cancel: cancel}
	t.Cleanup(func() { l.stop() })
	for i := range clients {
		l.wait.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 5 * time.Second}
			defer client.CloseIdleConnections()
			for n := i; ctx.Err() == nil; n++ {
				l.read(ctx, client, url+paths[n%len(paths)], retries)
			}
		})
	}
	return l
}

func (l *load) read(ctx context.Context, client *http.Client, url string, retries int) {
	began := time.Now()
	err := once(ctx, client, url)
	for ; err != nil && retries > 0; retries-- {
		select {
		case <-time.After(retryAfter):
			err = once(ctx, client, url)
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return // it was cut off by the end
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took, l.ended = append(l.took, time.Since(began)), append(l.ended, time.Now())
	if err != nil {
		l.failed = append(l.failed, failure{time.Now(), err})
	}
}

func once(ctx context.Context, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %.200s", url, resp.Status, body)
	}
	return nil
}

// sent is how many requests have been answered or have failed.
func (l *load) sent() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ended)
}

// between is how many of them ended between two moments.
func (l *load) between(from, to time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.ended {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// stop ends the load. It may be called twice.
func (l *load) stop() {
	l.cancel()
	l.wait.Wait()
}

// none makes sure that no request failed, of at least so many.
func (l *load) none(least int) {
	l.t.Helper()
	l.stop()
	slices.Sort(l.took)
	at := func(share float64) time.Duration {
		if len(l.took) == 0 {
			return 0
		}
		return l.took[int(share*float64(len(l.took)-1))].Round(time.Millisecond)
	}
	l.t.Logf("%d requests, %d failed; p50 %s, p99 %s, most %s", len(l.ended), len(l.failed), at(.5), at(.99), at(1))
	for _, failure := range l.failed[:min(len(l.failed), 10)] {
		l.t.Errorf("failed at %s: %v", failure.at.Format("15:04:05.000"), failure.err)
	}
	if len(l.ended) < least {
		l.t.Errorf("%d requests, want at least %d", len(l.ended), least)
	}
}
