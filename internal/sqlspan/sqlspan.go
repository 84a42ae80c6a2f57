// Package sqlspan traces SQL statements: for both stores in the same way, and at no cost where
// their caller is not traced. The text of a statement is recorded, its values never; nor what an
// error says, which may quote them.
package sqlspan

import (
	"context"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Span is the span of a statement, nil where its caller is not traced.
type Span struct{ span trace.Span }

// Start begins the span of a statement, or of a batch of several.
func Start(ctx context.Context, statements []string, about ...attribute.KeyValue) (context.Context, *Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() || len(statements) == 0 {
		return ctx, nil
	}
	operation, name := summary(statements)
	ctx, span := parent.TracerProvider().Tracer("bourse/sql").Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(about...), trace.WithAttributes(
			semconv.DBOperationName(operation), semconv.DBQuerySummary(name), semconv.DBQueryText(strings.Join(statements, "; "))))
	if len(statements) > 1 {
		span.SetAttributes(semconv.DBOperationBatchSize(len(statements)))
	}
	return ctx, &Span{span}
}

// End ends the span of a statement that came to an error, of which the database gave a code, or nil.
func (s *Span) End(err error, code string) {
	if s == nil {
		return
	}
	if err != nil {
		if code == "" {
			code = "_OTHER"
		} else {
			s.span.SetAttributes(semconv.DBResponseStatusCode(code))
		}
		s.span.SetAttributes(semconv.ErrorTypeKey.String(code))
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

var (
	verb   = regexp.MustCompile(`[A-Za-z]+`)
	target = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE|COPY|TABLE)\s+([a-z_]+)`)
)

// summary returns the operation of statements and a name with what it is done to: that of the
// last one, for whose sake the others are there.
func summary(statements []string) (operation, name string) {
	for i, s := range statements {
		of := strings.ToUpper(verb.FindString(s))
		if i > 0 && of != operation {
			of = ""
		}
		operation = of
	}
	if len(statements) > 1 {
		operation = strings.TrimSpace("BATCH " + operation)
	}
	name = operation
	if m := target.FindStringSubmatch(statements[len(statements)-1]); m != nil {
		name += " " + strings.ToLower(m[1])
	}
	return operation, name
}
