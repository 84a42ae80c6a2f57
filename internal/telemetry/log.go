package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

type requestKey struct{}

// requestContext is a context of a request. Of those with a value there is one for each answer:
// this one is smaller than context's own.
type requestContext struct {
	context.Context
	id string
}

// Value returns the context itself where it is asked for, and so its ID.
func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// WithRequest returns a context whose log lines have the ID of a request.
func WithRequest(ctx context.Context, id string) context.Context { return &requestContext{ctx, id} }

// Request returns the ID of the request of a context, empty where there is none.
func Request(ctx context.Context) string {
	if c, ok := ctx.Value(requestKey{}).(*requestContext); ok {
		return c.id
	}
	return ""
}

// contextHandler adds to each line what its context knows, so that it is found from the
// trace, and the trace from it.
type contextHandler struct{ next slog.Handler }

func (h contextHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace", span.TraceID().String()), slog.String("span", span.SpanID().String()))
	}
	if id := Request(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return h.next.Handle(ctx, r)
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.next.WithAttrs(attrs)}
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.next.WithGroup(name)}
}
