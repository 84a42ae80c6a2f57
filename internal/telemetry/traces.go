package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

const (
	// flushTimeout bounds the wait for a collector that does not take what is left. With the
	// drain and the requests in flight it fits into what the chart leaves for the end: 25 s.
	flushTimeout = 2 * time.Second
	// maxAttribute bounds attributes, some of which come from outside, in bytes.
	maxAttribute = 2048
)

// newProvider returns what sends traces to the collector of the environment, or nil where
// there is none. It does not connect yet.
func newProvider(ctx context.Context, service string, log *slog.Logger) (*sdktrace.TracerProvider, error) {
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("traces: the endpoint is no URL with http or https")
	}
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		return nil, fmt.Errorf("traces: the protocol is http/protobuf, not %s", protocol)
	}
	// What goes wrong on the way to the collector is ours to log. Both are of the whole process.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.WarnContext(context.Background(), "traces", "error", err) }))
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))

	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	v, _ := build()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(service), semconv.ServiceVersion(v), semconv.ServiceInstanceID(host)),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	limits := sdktrace.NewSpanLimits()
	if limits.AttributeValueLengthLimit < 0 {
		limits.AttributeValueLengthLimit = maxAttribute
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about), sdktrace.WithRawSpanLimits(limits)), nil
}

// Flush sends the spans that have ended, in a time that is bounded: by half of what ctx has left, too.
func (t *Telemetry) Flush(ctx context.Context) {
	if t.provider != nil {
		t.end(ctx, t.provider.ForceFlush)
	}
}

// Shutdown sends the last spans: those of the drain too, so it comes after everything else.
// That a collector does not take them is no failure of the service.
func (t *Telemetry) Shutdown(ctx context.Context) {
	if t.provider != nil {
		t.end(ctx, t.provider.Shutdown)
	}
}

func (t *Telemetry) end(ctx context.Context, f func(context.Context) error) {
	patience := flushTimeout
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := f(ctx); err != nil {
		t.Logger.WarnContext(ctx, "traces are lost", "error", err)
	}
}
