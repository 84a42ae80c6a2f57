package sqlspan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestSpan(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("")
	traced, parent := tracer.Start(t.Context(), "a request")
	unsampled := trace.ContextWithSpanContext(t.Context(), parent.SpanContext().WithTraceFlags(0))
	for _, ctx := range []context.Context{t.Context(), unsampled} {
		if in, span := Start(ctx, []string{"SELECT 1"}); span != nil || in != ctx {
			t.Error("a statement is traced whose caller is not")
		}
		var none *Span
		none.End(nil, "")
	}
	for _, c := range []struct {
		statements []string
		name       string
	}{
		{[]string{"SELECT id FROM bars WHERE symbol = $1"}, "SELECT bars"},
		{[]string{"\n\tINSERT INTO keys VALUES (?)"}, "INSERT keys"},
		{[]string{"UPDATE sources SET a = 1"}, "UPDATE sources"},
		{[]string{"SELECT id FROM instruments", "SELECT v.* FROM (SELECT 1) v, bars"}, "BATCH SELECT"},
		{[]string{"SELECT 1", "INSERT INTO runs VALUES (1)"}, "BATCH runs"},
		{[]string{"begin"}, "BEGIN"},
		{[]string{"PRAGMA data_version"}, "PRAGMA"},
		{[]string{"COPY staged FROM STDIN"}, "COPY staged"},
		{[]string{""}, ""},
	} {
		spans.Reset()
		_, span := Start(traced, c.statements)
		span.End(errors.New("hunter2 is no number"), "22P02")
		got := spans.Ended()[0]
		if got.Name() != c.name || got.SpanKind() != trace.SpanKindClient || got.Parent().SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("%q: %s, %s", c.statements, got.Name(), got.SpanKind())
		}
		if told := fmt.Sprint(got.Attributes(), got.Status(), got.Events()); strings.Contains(told, "hunter2") || !strings.Contains(told, "22P02") {
			t.Errorf("told: %s", told)
		}
	}
}
