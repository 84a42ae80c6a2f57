package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bourse/internal/market"
)

// watchEvery is how often a watcher asks whether something was committed. SQLite
// has no notifications; the question reads one page that is in memory.
const watchEvery = 250 * time.Millisecond

// Watch returns a channel that receives after each commit by anyone, also by
// another process. Commits that come close together may share one. It is closed
// when ctx ends or the store does.
func (s *Store) Watch(ctx context.Context) (<-chan struct{}, error) {
	conn, err := s.reads.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	changed := make(chan struct{}, 1)
	go func() {
		defer close(changed)
		defer conn.Close()
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		last := int64(-1)
		for {
			var version int64
			if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
				return
			}
			if version != last {
				last = version
				select {
				case changed <- struct{}{}:
				default: // the reader has yet to take the one before
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return changed, nil
}

// LastChange returns the sequence number of the newest change, zero where there is none.
func (s *Store) LastChange(ctx context.Context) (int64, error) {
	var seq int64
	err := s.reads.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM payloads WHERE changed > 0`).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("last change: %w", err)
	}
	return seq, nil
}

// Changes returns what was changed after a sequence number, oldest first, at most
// limit changes.
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]market.Change, error) {
	var list []market.Change
	err := each(ctx, s.reads, func(rows *sql.Rows) error {
		var c market.Change
		err := rows.Scan(&c.Seq, &c.Source)
		list = append(list, c)
		return err
	}, `SELECT id, source FROM payloads WHERE changed > 0 AND id > ? ORDER BY id LIMIT ?`, after, limit)
	for i := range list {
		c := &list[i]
		err = errors.Join(err, each(ctx, s.reads, func(rows *sql.Rows) error {
			var series market.Series
			bar, err := scanBar(rows, &series.Symbol, &series.Interval)
			series.Bars = []market.Bar{bar}
			c.Series = append(c.Series, series)
			return err
		}, `SELECT `+barColumns+`, symbol, interval FROM (
				SELECT b.*, symbol, max(start) FROM bars b JOIN instruments i ON i.id = instrument_id
				WHERE payload_id = ? GROUP BY instrument_id, interval) ORDER BY symbol, interval`, c.Seq))
	}
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	return list, nil
}

// Version changes whenever something is committed, by anyone, also by another process.
func (s *Store) Version(ctx context.Context) (int64, error) {
	s.version.Lock()
	defer s.version.Unlock()
	// The number belongs to a connection, which must therefore stay the same; a query
	// that is cancelled could cost it.
	ctx = context.WithoutCancel(ctx)
	if s.versionConn == nil {
		conn, err := s.reads.Conn(ctx)
		if err != nil {
			return 0, fmt.Errorf("version: %w", err)
		}
		s.versionConn = conn
		s.versionBase++
	}
	var n int64
	if err := s.versionConn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&n); err != nil {
		err = errors.Join(err, s.versionConn.Close())
		s.versionConn = nil
		return 0, fmt.Errorf("version: %w", err)
	}
	return s.versionBase<<40 + n, nil
}
