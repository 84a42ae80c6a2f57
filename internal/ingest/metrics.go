package ingest

import (
	"bourse/internal/market"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of ingest. A nil *Metrics observes nothing.
type Metrics struct {
	runs     *prometheus.CounterVec
	duration *prometheus.HistogramVec
	requests *prometheus.CounterVec
	bars     *prometheus.CounterVec
	newest   *prometheus.GaugeVec
	lag      *prometheus.GaugeVec
}

// NewMetrics registers the metrics of ingest.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bourse_ingest_runs_total", Help: "Finished runs by outcome.",
		}, []string{"source", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bourse_ingest_run_duration_seconds", Help: "How long runs took.",
			Buckets: []float64{.1, .3, 1, 3, 10, 30, 100, 300},
		}, []string{"source"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bourse_ingest_requests_total", Help: "Requests sent upstream, retries included.",
		}, []string{"source"}),
		bars: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bourse_ingest_bars_total", Help: "Bars by what became of them.",
		}, []string{"source", "result"}),
		newest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "bourse_ingest_newest_bar_timestamp_seconds", Help: "Start of the newest bar of a source.",
		}, []string{"source"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "bourse_ingest_lag_seconds", Help: "From publication to arrival, for the newest bar that arrived.",
		}, []string{"source"}),
	}
	r.MustRegister(m.runs, m.duration, m.requests, m.bars, m.newest, m.lag)
	return m
}

func (m *Metrics) observe(r market.Run) {
	if m == nil {
		return
	}
	m.runs.WithLabelValues(r.Source, string(r.Outcome)).Inc()
	m.duration.WithLabelValues(r.Source).Observe(r.Finished.Sub(r.Started).Seconds())
	m.requests.WithLabelValues(r.Source).Add(float64(r.Requests))
	for result, n := range map[string]int{
		"inserted": r.Inserted, "revised": r.Revised, "unchanged": r.Unchanged, "rejected": r.Rejected, "flagged": r.Flagged,
	} {
		m.bars.WithLabelValues(r.Source, result).Add(float64(n))
	}
	if !r.Newest.IsZero() {
		m.newest.WithLabelValues(r.Source).Set(float64(r.Newest.Unix()))
	}
	if r.Inserted > 0 {
		m.lag.WithLabelValues(r.Source).Set(r.Lag.Seconds())
	}
}
