// Package sqlite is the embedded store: one SQLite file in WAL mode, read by many
// and written by one transaction at a time.
//
// Every payload is loaded in one transaction, so a process that dies leaves the
// store as it was before the payload or as it is after it. Triggers keep what a
// changed bar said before and refuse to delete real bars; the code cannot forget it.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bourse/internal/market"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
)

//go:embed migrations
var migrations embed.FS

// Store is the embedded store. It is safe for concurrent use, also by several
// processes on one machine.
type Store struct {
	path   string
	reads  *sql.DB
	writes *sql.DB // one connection: SQLite has one writer at a time

	version     sync.Mutex // guards what follows
	versionConn *sql.Conn
	versionBase int64 // how many connections there were before
}

// readers is how many queries run at once; each costs its page cache.
const readers = 6

// Open opens the database at a URL like sqlite:///var/lib/bourse/bourse.db, creating
// the file and its folder where they are missing. It does not migrate.
func Open(databaseURL string) (*Store, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme != "sqlite" || u.Host != "" || u.Path == "" {
		return nil, errors.New("a SQLite database URL is like sqlite:///path/to/bourse.db")
	}
	if err := os.MkdirAll(filepath.Dir(u.Path), 0o750); err != nil {
		return nil, fmt.Errorf("database folder: %w", err)
	}
	s := &Store{path: u.Path}
	if s.writes, err = s.connect(1, "synchronous(FULL)", "cache_size(-16000)"); err != nil {
		return nil, err
	}
	if s.reads, err = s.connect(readers, "query_only(1)", "cache_size(-2000)"); err != nil {
		return nil, errors.Join(err, s.writes.Close())
	}
	return s, nil
}

func (s *Store) connect(most int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(30000)", "journal_mode(WAL)", "foreign_keys(1)",
	}, pragmas...)}
	connector, err := driver.NewConnector((&url.URL{Scheme: "file", Path: s.path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := sql.OpenDB(traced{connector})
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// Close closes the store.
func (s *Store) Close() error {
	s.version.Lock()
	defer s.version.Unlock()
	var err error
	if s.versionConn != nil {
		err = s.versionConn.Close()
		s.versionConn = nil
	}
	return errors.Join(err, s.reads.Close(), s.writes.Close())
}

// Migrate brings the schema up to date. Migrations only go forward.
func (s *Store) Migrate(ctx context.Context) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writes, files)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return provider, nil
}

// Ping reports whether the store answers and has its schema.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	if err := s.reads.QueryRowContext(ctx, `SELECT count(*) FROM sources`).Scan(&n); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// Lock makes the caller the only writer of a source until it calls release, or its
// process ends. It returns [market.ErrLocked] at once where another holds the lock.
func (s *Store) Lock(_ context.Context, source string) (release func(), err error) {
	lock := flock.New(s.path + "." + source + ".lock")
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", source, err)
	}
	if !ok {
		return nil, fmt.Errorf("source %s: %w", source, market.ErrLocked)
	}
	return func() { _ = lock.Close() }, nil
}

// inTx runs f in one write transaction.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// ignoreDone drops the error of a transaction that its context has rolled back already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// each calls scan for each row of a query.
func each(ctx context.Context, db queryer, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	return rows.Err()
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Instants are stored as microseconds since 1970, starts of bars as seconds; the
// zero time is NULL.

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromInstant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

func start(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

func fromStart(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(n.Int64, 0).UTC()
}
