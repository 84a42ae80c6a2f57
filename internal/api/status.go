package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"bourse/internal/market"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	statusTimeout = 2 * time.Second // of the reading that a scrape waits for
	statusKept    = 5 * time.Second // so that several who scrape cost no more than one
	maxRuns       = 100             // among which is one that found something new, or there was none for days
)

// status is what the store says of the sources, as metrics: read when they are scraped, so
// true wherever a run ran and when none did.
type status struct {
	store Store
	now   func() time.Time

	mu      sync.Mutex
	read    time.Time
	metrics []prometheus.Metric
}

func newStatus(cfg Config) *status { return &status{store: cfg.Store, now: cfg.Now} }

func sourceDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("bourse_source_"+name, help, append([]string{"source"}, labels...), nil)
}

var (
	storeUp     = prometheus.NewDesc("bourse_store_up", "1 where the store answered when it was scraped, else 0.", nil, nil)
	overdue     = sourceDesc("overdue_seconds", "How long the oldest bar that the source's calendar expects has been missing; 0: none is.")
	newestBar   = sourceDesc("newest_bar_timestamp_seconds", "Start of the newest daily bar.")
	lastRun     = sourceDesc("last_run_timestamp_seconds", "When the newest finished run ended.")
	lastSuccess = sourceDesc("last_success_timestamp_seconds", "When the newest run that succeeded ended.")
	nextRun     = sourceDesc("next_run_timestamp_seconds", "When the next run is planned; one that is missing leaves it in the past.")
	lastOutcome = sourceDesc("last_run_outcome", "1; what the newest finished run came to.", "outcome")
	lag         = sourceDesc("lag_seconds", "From publication to arrival, for the newest bar that arrived.")
	instruments = sourceDesc("instruments", "Instruments of the source.")
	barsStored  = sourceDesc("bars", "Bars that are stored.")
	revisions   = sourceDesc("revisions", "Values that were replaced and kept.")
	rejected    = sourceDesc("rejected", "Values held in quarantine.")
	flagged     = sourceDesc("flagged", "Values loaded and marked for review.")
	quotaLeft   = sourceDesc("quota_left", "Requests that are left of the quota of the day.")
)

// Describe tells of all metrics.
func (s *status) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		storeUp, overdue, newestBar, lastRun, lastSuccess, nextRun, lastOutcome, lag, instruments, barsStored, revisions,
		rejected, flagged, quotaLeft,
	} {
		out <- d
	}
}

// Collect reads the store, or repeats what it read a moment ago.
func (s *status) Collect(out chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read.IsZero() || time.Since(s.read) > statusKept {
		ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
		defer cancel()
		var err error
		if s.metrics, err = s.measure(ctx); err != nil {
			s.metrics = nil
		}
		s.metrics = append(s.metrics, prometheus.MustNewConstMetric(storeUp, prometheus.GaugeValue, truth(err == nil)))
		s.read = time.Now()
	}
	for _, m := range s.metrics {
		out <- m
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// measure returns the metrics of each source that is real.
func (s *status) measure(ctx context.Context) ([]prometheus.Metric, error) {
	sources, err := s.store.Sources(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var list []prometheus.Metric
	for _, src := range sources {
		if src.Name == market.Simulated {
			continue
		}
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			list = append(list, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{src.Name}, labels...)...))
		}
		at := func(d *prometheus.Desc, t time.Time) {
			if !t.IsZero() {
				gauge(d, float64(t.UnixMilli())/1e3)
			}
		}
		gauge(overdue, src.Overdue(now).Seconds())
		at(newestBar, src.Newest)
		at(nextRun, src.NextRun)
		if src.LastRun != nil {
			at(lastRun, src.LastRun.Finished)
			gauge(lastOutcome, 1, string(src.LastRun.Outcome))
		}
		if src.LastOK != nil {
			at(lastSuccess, src.LastOK.Finished)
		}
		// Most runs find nothing new.
		runs, err := s.store.Runs(ctx, market.RecordQuery{Source: src.Name, Limit: maxRuns})
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(runs, func(r market.Run) bool { return r.Inserted > 0 }); i >= 0 {
			gauge(lag, runs[i].Lag.Seconds())
		}
		gauge(instruments, float64(src.Instruments))
		gauge(barsStored, float64(src.Bars))
		gauge(revisions, float64(src.Revisions))
		gauge(rejected, float64(src.Rejected))
		gauge(flagged, float64(src.Flagged))
		if most := src.Limits.PerDay; most > 0 {
			spent, err := s.store.Spent(ctx, src.Name, src.QuotaDay(now))
			if err != nil {
				return nil, err
			}
			gauge(quotaLeft, float64(max(0, most-spent)))
		}
	}
	return list, nil
}
