package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

const keySelect = `SELECT id, name, hash, sources, created_at, revoked_at FROM keys`

func scanKey(row pgx.Row) (market.Key, error) {
	var k market.Key
	var revoked *time.Time
	err := row.Scan(&k.ID, &k.Name, &k.Hash, &k.Sources, &k.CreatedAt, &revoked)
	k.CreatedAt, k.RevokedAt = k.CreatedAt.UTC(), fromInstant(revoked)
	return k, err
}

// Key returns the key with a hash, also one that is revoked, or [market.ErrNotFound].
func (s *Store) Key(ctx context.Context, hash string) (market.Key, error) {
	k, err := scanKey(s.reads.QueryRow(ctx, keySelect+` WHERE hash = $1`, text(hash)))
	if errors.Is(err, pgx.ErrNoRows) {
		return k, fmt.Errorf("key: %w", market.ErrNotFound)
	}
	if err != nil {
		return k, fmt.Errorf("key: %w", err)
	}
	return k, nil
}

// Keys returns all keys, oldest first.
func (s *Store) Keys(ctx context.Context) ([]market.Key, error) {
	var list []market.Key
	err := each(ctx, s.reads, func(rows pgx.Rows) error {
		k, err := scanKey(rows)
		list = append(list, k)
		return err
	}, keySelect+` ORDER BY created_at, id`)
	return list, err
}

// SaveKey keeps a new key.
func (s *Store) SaveKey(ctx context.Context, k market.Key) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO keys (id, name, hash, sources, created_at) VALUES ($1, $2, $3, $4, $5)`,
			k.ID, text(k.Name), k.Hash, k.Sources, k.CreatedAt)
		if err != nil {
			return fmt.Errorf("save key: %w", err)
		}
		return nil
	})
}

// RevokeKey ends a key for good. It returns [market.ErrNotFound] where there is none
// with this ID; a key that is revoked already keeps its date.
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE keys SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2`, at, text(id))
		if err != nil {
			return fmt.Errorf("revoke key: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("key %s: %w", id, market.ErrNotFound)
		}
		return nil
	})
}
