package ingest

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"bourse/internal/market"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// traced begins the span of a run, which is a trace of its own unless whoever planned it began one.
func (in *Ingester) traced(ctx context.Context, source, trigger string) (context.Context, trace.Span) {
	return in.cfg.Tracer.Tracer("bourse/ingest").Start(ctx, "run "+source,
		trace.WithAttributes(attribute.String("bourse.source", source), attribute.String("bourse.trigger", trigger)))
}

// endRun ends the span of a run. One that did not succeed is an error.
func endRun(span trace.Span, run market.Run, err error) {
	if span.IsRecording() {
		span.SetAttributes(attribute.Int64("bourse.run", run.ID), attribute.String("bourse.outcome", string(run.Outcome)),
			attribute.Int("bourse.inserted", run.Inserted), attribute.Int("bourse.revised", run.Revised), attribute.Int("bourse.rejected", run.Rejected))
		if run.Outcome != market.OK {
			span.SetStatus(codes.Error, "")
		}
	}
	end(span, err)
}

// step begins the span of a step of a run.
func step(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer("bourse/ingest").Start(ctx, name, options...)
}

// request begins the span of a request upstream. It has the address without the credential, and
// the request has nothing of the trace: it is none of an upstream's business.
func request(ctx context.Context, req market.Request) (context.Context, trace.Span) {
	ctx, span := step(ctx, http.MethodGet, trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(semconv.HTTPRequestMethodGet, semconv.URLFull(req.URL))
		if u, err := url.Parse(req.URL); err == nil {
			span.SetAttributes(semconv.ServerAddress(u.Hostname()))
		}
	}
	return ctx, span
}

// end ends a span with what it came to. What an error says stays in the log: it may quote what
// was received.
func end(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		kind := "_OTHER"
		var f *market.Failure
		switch {
		case errors.As(err, &f):
			kind = string(f.Outcome)
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			kind = string(market.Interrupted)
		}
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
