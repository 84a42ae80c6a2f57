package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bourse/internal/api"
	"bourse/internal/market"

	"github.com/prometheus/client_golang/prometheus"
)

// asked is a store that counts how often it is asked how the sources stand, and can be down
// or hang.
type asked struct {
	api.Store
	list []market.SourceStatus
	err  error
	hang bool
	n    atomic.Int64
}

func (s *asked) Sources(ctx context.Context) ([]market.SourceStatus, error) {
	s.n.Add(1)
	if s.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.list, s.err
}

func (s *asked) Runs(_ context.Context, q market.RecordQuery) ([]market.Run, error) {
	if q.Source == "ecb" {
		return nil, nil
	}
	return []market.Run{{}, {Lag: 90 * time.Second, Counts: market.Counts{Inserted: 1}}, {Lag: time.Second, Counts: market.Counts{Inserted: 1}}}, nil
}

func (s *asked) Spent(context.Context, string, market.Date) (int, error) { return 7, nil }

// scrape returns what the metrics of the sources and of the store say.
func scrape(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		name, of := strings.CutPrefix(f.GetName(), "bourse_source_")
		if !of && name != "bourse_store_up" {
			continue
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			lines = append(lines, fmt.Sprint(name, " ", m.Gauge.GetValue()))
			name, _, _ = strings.Cut(name, " ")
		}
	}
	return lines
}

func TestSourcesAsMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock begins on 2000-01-01
		now := time.Now().UTC()
		at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
		store := &asked{list: []market.SourceStatus{
			{
				Source:  market.Source{Name: "alphavantage", Calendar: market.EveryDay, Zone: "UTC", Limits: market.Limits{PerDay: 25}},
				NextRun: at(1), Newest: at(-72), Instruments: 3, Bars: 100, Revisions: 2, Rejected: 1, Flagged: 4,
				LastRun: &market.Run{Finished: at(-1), Outcome: market.QuotaUntil},
				LastOK:  &market.Run{Finished: at(-25), Outcome: market.OK},
			},
			{Source: market.Source{Name: "ecb", Calendar: market.TARGET, Zone: "UTC"}},
			{Source: market.Source{Name: market.Simulated, Calendar: market.EveryDay, Zone: "UTC"}},
		}}
		registry := prometheus.NewRegistry()
		api.New(api.Config{Store: store, Registerer: registry})
		unix := func(t time.Time) string { return fmt.Sprint(float64(t.Unix())) }
		want := []string{
			"bars alphavantage 100", "bars ecb 0", "flagged alphavantage 4", "flagged ecb 0", "instruments alphavantage 3", "instruments ecb 0",
			"lag_seconds alphavantage 90", "last_run_outcome quota-until alphavantage 1", "last_run_timestamp_seconds alphavantage " + unix(at(-1)),
			"last_success_timestamp_seconds alphavantage " + unix(at(-25)), "newest_bar_timestamp_seconds alphavantage " + unix(at(-72)),
			"next_run_timestamp_seconds alphavantage " + unix(at(1)), "overdue_seconds alphavantage 172800", "overdue_seconds ecb 172800",
			"quota_left alphavantage 18", "rejected alphavantage 1", "rejected ecb 0", "revisions alphavantage 2", "revisions ecb 0", "bourse_store_up 1",
		}
		got := scrape(t, registry)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		later := func(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // takes no time in a bubble
		for range 4 {                                    // several who scrape
			later(time.Second)
			scrape(t, registry)
		}
		if n := store.n.Load(); n != 1 {
			t.Errorf("the store was asked %d times", n)
		}
		store.err = errors.New("no store")
		later(10 * time.Second)
		if got := scrape(t, registry); !slices.Equal(got, []string{"bourse_store_up 0"}) {
			t.Errorf("with a store that is down: %q", got)
		}
		store.err, store.hang = nil, true
		later(10 * time.Second)
		began := time.Now()
		if got := scrape(t, registry); !slices.Equal(got, []string{"bourse_store_up 0"}) || time.Since(began) > 3*time.Second {
			t.Errorf("with a store that hangs, after %s: %q", time.Since(began), got)
		}
		store.hang = false
		later(10 * time.Second)
		if got := scrape(t, registry); len(got) != len(want) {
			t.Errorf("after the store has come back: %q", got)
		}
	})
}
