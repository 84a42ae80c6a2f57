package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bourse/internal/market"
)

// Spend takes one of most requests of a source on a day, durably. It returns when the
// newest one before was taken, on whatever day, zero where there was none; or
// [market.ErrQuota], having changed nothing, where all have been taken.
func (s *Store) Spend(ctx context.Context, source string, day market.Date, most int, at time.Time) (time.Time, error) {
	var before sql.NullInt64
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT max(last_at) FROM quotas WHERE source = ?`, source).Scan(&before); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO quotas (source, day, spent, last_at) SELECT ?1, ?2, 1, ?3 WHERE ?4 > 0
			ON CONFLICT DO UPDATE SET spent = spent + 1, last_at = max(last_at, excluded.last_at) WHERE spent < ?4`,
			source, day, at.UnixMicro(), most)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, market.ErrQuota)
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
	err := s.reads.QueryRowContext(ctx, `SELECT coalesce(sum(spent), 0) FROM quotas WHERE source = ? AND day = ?`, source, day).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("quota of %s on %s: %w", source, day, err)
	}
	return n, nil
}
