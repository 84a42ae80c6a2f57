package postgres

import (
	"context"
	"fmt"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// Spend takes one of most requests of a source on a day, durably. It returns when the
// newest one before was taken, on whatever day, zero where there was none; or
// [market.ErrQuota], having changed nothing, where all have been taken.
//
// No listener hears of it: no answer depends on it, so what is kept of them stays.
func (s *Store) Spend(ctx context.Context, source string, day market.Date, most int, at time.Time) (time.Time, error) {
	var before *time.Time
	var taken int64
	batch := &pgx.Batch{}
	// What was taken before, on any day, is seen by those who come one after another.
	batch.Queue(`SELECT pg_advisory_xact_lock($1)`, lockKey("quota "+source))
	batch.Queue(`SELECT max(last_at) FROM quotas WHERE source = $1`, text(source)).QueryRow(func(row pgx.Row) error {
		return row.Scan(&before)
	})
	batch.Queue(`INSERT INTO quotas AS q (source, day, spent, last_at) SELECT $1, $2, 1, $3 WHERE $4 > 0
		ON CONFLICT (source, day) DO UPDATE SET spent = q.spent + 1, last_at = greatest(q.last_at, excluded.last_at)
		WHERE q.spent < $4`, text(source), day.Time(), at, most).Exec(countInto(&taken))
	err := pgx.BeginFunc(ctx, s.writes, func(tx pgx.Tx) error {
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		if taken == 0 {
			return market.ErrQuota
		}
		return nil
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("quota of %s on %s: %w", source, day, err)
	}
	return fromInstant(before), nil
}

// Spent returns how many requests of a source have been taken on a day.
func (s *Store) Spent(ctx context.Context, source string, day market.Date) (int, error) {
	var n int
	err := s.reads.QueryRow(ctx, `SELECT coalesce(sum(spent), 0) FROM quotas WHERE source = $1 AND day = $2`, text(source), day.Time()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("quota of %s on %s: %w", source, day, err)
	}
	return n, nil
}
