package drills

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// pacer sends requests at a rate, however late the answers are, as many independent
// clients do.
type pacer struct {
	url string

	mu    sync.Mutex
	rate  float64   // requests a second
	since time.Time // when it was looked at, from where the others count
	sent  int
	took  []time.Duration
	bad   int
	err   error // of the last that failed
}

// start begins; what it returns ends it and waits for the last answers.
func (p *pacer) start(t *testing.T, rate float64) func() {
	t.Helper()
	p.rate, p.since = rate, time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}, Timeout: 10 * time.Second}
	wait.Go(func() {
		next := time.Now()
		for n := 0; ; n++ {
			timer := time.NewTimer(time.Until(next))
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
			wait.Go(func() { p.send(ctx, client, n) })
			p.mu.Lock()
			p.sent++
			next = next.Add(time.Duration(float64(time.Second) / p.rate))
			p.mu.Unlock()
		}
	})
	return func() {
		cancel()
		wait.Wait()
		client.CloseIdleConnections()
	}
}

func (p *pacer) set(rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = rate
}

// send asks for statistics of another span of about nine years each: the API
// remembers no answer, and each costs it about the same.
func (p *pacer) send(ctx context.Context, client *http.Client, n int) {
	first := time.Date(1999, 1, 4, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n%200)
	last := time.Date(2008, 7, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -n/200%200)
	began := time.Now()
	err := once(ctx, client, fmt.Sprintf("%s/api/v1/stats/EURUSD?from=%s&to=%s", p.url, first.Format(time.DateOnly), last.Format(time.DateOnly)))
	if ctx.Err() != nil {
		return // it was cut off by the end
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, time.Since(began))
	if err != nil {
		p.bad++
		p.err = err
	}
}

// take returns what became of the requests since it was asked before.
func (p *pacer) take() sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.took)
	at := func(share float64) float64 {
		if len(p.took) == 0 {
			return 0
		}
		return float64(p.took[int(share*float64(len(p.took)-1))].Milliseconds())
	}
	s := sample{Offered: math.Round(100*float64(p.sent)/time.Since(p.since).Seconds()) / 100, P50: at(.5), P99: at(.99), Failed: p.bad}
	p.sent, p.took, p.bad, p.since = 0, nil, 0, time.Now()
	return s
}
