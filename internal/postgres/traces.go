package postgres

import (
	"context"
	"errors"

	"bourse/internal/sqlspan"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// tracer traces statements, batches and copies. What connections do of their own accord, as
// preparing statements, is a part of these.
type tracer struct{ about []attribute.KeyValue }

func newTracer(c *pgx.ConnConfig) tracer {
	return tracer{[]attribute.KeyValue{
		semconv.DBSystemNamePostgreSQL, semconv.DBNamespace(c.Database), semconv.ServerAddress(c.Host), semconv.ServerPort(int(c.Port)),
	}}
}

type spanKey struct{}

func (t tracer) start(ctx context.Context, statements ...string) context.Context {
	ctx, span := sqlspan.Start(ctx, statements, t.about...)
	if span == nil {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, span)
}

func end(ctx context.Context, err error) {
	span, _ := ctx.Value(spanKey{}).(*sqlspan.Span)
	code := ""
	if span != nil && err != nil {
		var told *pgconn.PgError
		if errors.As(err, &told) {
			code = told.Code
		}
	}
	span.End(err, code)
}

func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	return t.start(ctx, q.SQL)
}

func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	end(ctx, q.Err)
}

func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	statements := make([]string, len(b.Batch.QueuedQueries))
	for i, q := range b.Batch.QueuedQueries {
		statements[i] = q.SQL
	}
	return t.start(ctx, statements...)
}

func (t tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (t tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchEndData) {
	end(ctx, b.Err)
}

func (t tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, c pgx.TraceCopyFromStartData) context.Context {
	return t.start(ctx, "COPY "+c.TableName.Sanitize()+" FROM STDIN")
}

func (t tracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, c pgx.TraceCopyFromEndData) {
	end(ctx, c.Err)
}
