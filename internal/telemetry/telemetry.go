// Package telemetry sets up what a binary says of itself: logs, metrics and traces.
//
// Logs are one JSON object a line on standard error. The fields time, level, msg and
// service are in every line; trace and span (in hex) where the context has a span, and
// request where it has a request. Source and run stand in the lines of a run of ingest.
//
// Metrics are registered with [Telemetry.Registry], and read at the admin port.
//
// Traces go to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, by OTLP over HTTP; without
// one there are none. The other variables of OpenTelemetry apply: OTEL_TRACES_SAMPLER decides which
// traces are kept. Who starts a trace is given [Telemetry.Tracer]; everything below takes the
// tracer of the span in its context, so that a request that is not traced costs nothing there.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Telemetry is what a binary logs, measures and traces with.
type Telemetry struct {
	Logger   *slog.Logger
	Registry *prometheus.Registry
	Tracer   trace.TracerProvider

	provider *sdktrace.TracerProvider // nil where nobody takes traces
}

// Setup returns the telemetry of a service that logs to w at a level and above. It has to be
// shut down after everything else.
func Setup(ctx context.Context, service string, w io.Writer, level slog.Level) (*Telemetry, error) {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	t := &Telemetry{
		Logger:   slog.New(contextHandler{handler}).With("service", service),
		Registry: prometheus.NewRegistry(),
		Tracer:   noop.NewTracerProvider(),
	}
	t.Registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newBuildInfo(),
	)
	var err error
	if t.provider, err = newProvider(ctx, service, t.Logger); err != nil {
		return nil, err
	}
	if t.provider != nil {
		t.Tracer = t.provider
	}
	return t, nil
}
