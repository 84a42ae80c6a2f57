package postgres

import (
	"context"
	"fmt"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// LastChange returns the sequence number of the newest change, zero where there is none.
func (s *Store) LastChange(ctx context.Context) (int64, error) {
	var seq int64
	if err := s.reads.QueryRow(ctx, `SELECT coalesce(max(seq), 0) FROM changes`).Scan(&seq); err != nil {
		return 0, fmt.Errorf("last change: %w", err)
	}
	return seq, nil
}

// Changes returns what was changed after a sequence number, oldest first, at most
// limit changes.
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]market.Change, error) {
	var list []market.Change
	batch := &pgx.Batch{}
	batch.Queue(`SELECT seq, source FROM changes c JOIN payloads p ON p.id = payload_id
		WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			var c market.Change
			err := rows.Scan(&c.Seq, &c.Source)
			list = append(list, c)
			return err
		})
	})
	batch.Queue(`SELECT `+barColumns+`, c.seq, i.symbol, c.interval
		FROM (SELECT seq FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2) n JOIN changed_series c USING (seq)
		JOIN instruments i ON i.id = c.instrument_id
		JOIN bars b ON b.instrument_id = c.instrument_id AND b.interval = c.interval AND b.start = c.start
		ORDER BY c.seq, i.symbol, c.interval`, after, limit).Query(func(rows pgx.Rows) error {
		next := 0
		return scanned(rows, func(rows pgx.Rows) error {
			var series market.Series
			var seq int64
			bar, err := scanBar(rows, &seq, &series.Symbol, &series.Interval)
			series.Bars = []market.Bar{bar}
			for next < len(list)-1 && list[next].Seq < seq {
				next++
			}
			list[next].Series = append(list[next].Series, series)
			return err
		})
	})
	if err := s.snapshot(ctx, batch); err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	return list, nil
}
