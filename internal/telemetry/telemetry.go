// Package telemetry sets up what a binary says of itself: logs and metrics.
//
// Logs are one JSON object a line on standard error, with the fields time, level,
// msg and service, and source, run and request where they apply.
package telemetry

import (
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Telemetry is what a binary logs and measures with.
type Telemetry struct {
	Logger   *slog.Logger
	Registry *prometheus.Registry
}

// Setup returns the telemetry of a service that logs to w at a level and above.
func Setup(service string, w io.Writer, level slog.Level) *Telemetry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	return &Telemetry{Logger: slog.New(contextHandler{handler}).With("service", service), Registry: r}
}
