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
	}
	r.MustRegister(m.runs, m.duration, m.requests, m.bars)
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
}
