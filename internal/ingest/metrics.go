package ingest

import (
	"time"

	"bourse/internal/market"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of ingest. A nil *Metrics observes nothing.
type Metrics struct {
	runs     *prometheus.CounterVec
	duration *prometheus.HistogramVec
	requests *prometheus.CounterVec
	bars     *prometheus.CounterVec
	upstream *prometheus.HistogramVec
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
		upstream: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "bourse_upstream_request_duration_seconds",
			Help:    "How long requests upstream took until the answer was received, by the class of its status; none: there was none.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"source", "code"}),
	}
	r.MustRegister(m.runs, m.duration, m.requests, m.bars, m.upstream)
	return m
}

// answered measures a request upstream, whose status is zero where there was no answer.
func (m *Metrics) answered(source string, status int, took time.Duration) {
	if m == nil {
		return
	}
	code := "none"
	if class := status / 100; class >= 1 && class <= 5 { // an upstream can send any number
		code = string(rune('0'+class)) + "xx"
	}
	m.upstream.WithLabelValues(source, code).Observe(took.Seconds())
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
