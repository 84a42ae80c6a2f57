package sqlite

import (
	"context"
	"database/sql/driver"

	"bourse/internal/sqlspan"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// traced makes connections whose statements are traced. Prepared ones are not: a load repeats
// one for each chunk of its rows.
type traced struct{ driver.Connector }

func (t traced) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := t.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return tracedConn{c.(conn)}, nil
}

// conn is what a connection of the driver does for [database/sql].
type conn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type tracedConn struct{ conn }

func (c tracedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, span := sqlspan.Start(ctx, []string{query}, semconv.DBSystemNameSQLite)
	r, err := c.conn.ExecContext(ctx, query, args)
	span.End(err, "")
	return r, err
}

func (c tracedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, span := sqlspan.Start(ctx, []string{query}, semconv.DBSystemNameSQLite)
	rows, err := c.conn.QueryContext(ctx, query, args)
	if span == nil || err != nil {
		span.End(err, "")
		return rows, err
	}
	return tracedRows{rows, span}, nil
}

// tracedRows ends the span of its query when all rows are read, which is when they are found.
type tracedRows struct {
	driver.Rows
	span *sqlspan.Span
}

func (r tracedRows) Close() error {
	err := r.Rows.Close()
	r.span.End(err, "")
	return err
}
