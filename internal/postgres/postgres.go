// Package postgres is the production store: PostgreSQL, written by one process per
// source at a time and read by any number.
//
// Every payload is loaded in one transaction, so a process or a server that dies
// leaves the store as it was before the payload or as it is after it. Triggers keep
// what a changed bar said before and refuse to delete real bars; the code cannot
// forget it. Readers work on snapshots and wait for nobody.
//
// The store needs sessions of its own for its locks and notifications: behind a
// pooler that shares sessions between transactions it does not work.
package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is the store. It is safe for concurrent use, also by many processes.
type Store struct {
	server   *server
	reads    *pgxpool.Pool
	writes   *pgxpool.Pool
	listener *listener

	mu      sync.Mutex
	holding map[string]uint32 // process IDs of the sessions that hold locks, by source
}

// Most connections of one process, besides one for each lock and one that listens. A
// replica of the API opens the readers only, a run of the ingest hardly more than one
// of each. pool_max_conns in the database's URL is a bound below these.
const (
	readers = 8
	writers = 4
)

// Open prepares connections to the database at a URL like
// postgres://user:password@host:5432/bourse. With auth=iam among its parameters each
// connection gets an RDS IAM token as its password. Open does not connect yet, and
// does not migrate.
func Open(ctx context.Context, databaseURL string) (*Store, error) {
	server, err := parse(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	s := &Store{server: server, listener: newListener(server), holding: map[string]uint32{}}
	// A snapshot for all statements of a batch, and no way to write by mistake.
	s.reads, err = server.pool(ctx, readers, map[string]string{
		"default_transaction_read_only": "on",
		"default_transaction_isolation": "repeatable read",
		"statement_timeout":             "15s",
	})
	if err != nil {
		return nil, err
	}
	// A load waits for others of its source, and at their last step for all.
	s.writes, err = server.pool(ctx, writers, map[string]string{
		"lock_timeout":                        "30s",
		"idle_in_transaction_session_timeout": "60s",
		"temp_buffers":                        "64MB",
		"work_mem":                            "64MB",
	})
	if err != nil {
		s.reads.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the store. Locks that are held stay until they are released.
func (s *Store) Close() error {
	s.listener.close()
	s.reads.Close()
	s.writes.Close()
	return nil
}

// Ping reports whether the store answers and has its schema.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	if err := s.reads.QueryRow(ctx, `SELECT count(*) FROM sources`).Scan(&n); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// inTx runs f in one write transaction, whose commit every store on the database hears of.
func (s *Store) inTx(ctx context.Context, f func(pgx.Tx) error) error {
	tx, err := s.writes.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// After a commit this does nothing. When ctx has ended the connection is closed,
	// and the server rolls back.
	defer func() { _ = tx.Rollback(ctx) }()
	if err := f(tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, commits, s.listener.name); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	defer s.listener.changed() // even where the commit failed: that is not certain
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// queryer is a pool, a connection or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// each calls scan for each row of a query.
func each(ctx context.Context, db queryer, scan func(pgx.Rows) error, query string, args ...any) error {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return scanned(rows, scan)
}

func scanned(rows pgx.Rows, scan func(pgx.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	return rows.Err()
}

// snapshot runs the queries of a batch in one round trip on one snapshot.
func (s *Store) snapshot(ctx context.Context, queries *pgx.Batch) error {
	return s.reads.SendBatch(ctx, queries).Close()
}

// instant is how a time is written: the zero time is NULL.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// fromInstant is how it is read.
func fromInstant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// text is s as PostgreSQL can hold it: without the zero byte and broken UTF-8, which
// sources and requests may well contain.
func text[T ~string](s T) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(s), "\uFFFD"), "\x00", "\uFFFD")
}
