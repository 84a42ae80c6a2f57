package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"bourse/internal/market"
)

const keySelect = `SELECT id, name, hash, sources, created_at, revoked_at FROM keys`

func scanKey(row interface{ Scan(...any) error }) (market.Key, error) {
	var k market.Key
	var sources string
	var created, revoked sql.NullInt64
	err := row.Scan(&k.ID, &k.Name, &k.Hash, &sources, &created, &revoked)
	k.Sources, k.CreatedAt, k.RevokedAt = strings.Split(sources, ","), fromInstant(created), fromInstant(revoked)
	return k, err
}

// Key returns the key with a hash, also one that is revoked, or [market.ErrNotFound].
func (s *Store) Key(ctx context.Context, hash string) (market.Key, error) {
	k, err := scanKey(s.reads.QueryRowContext(ctx, keySelect+` WHERE hash = ?`, hash))
	if errors.Is(err, sql.ErrNoRows) {
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
	err := each(ctx, s.reads, func(rows *sql.Rows) error {
		k, err := scanKey(rows)
		list = append(list, k)
		return err
	}, keySelect+` ORDER BY created_at, id`)
	return list, err
}

// SaveKey keeps a new key.
func (s *Store) SaveKey(ctx context.Context, k market.Key) error {
	_, err := s.writes.ExecContext(ctx, `INSERT INTO keys (id, name, hash, sources, created_at) VALUES (?, ?, ?, ?, ?)`,
		k.ID, k.Name, k.Hash, strings.Join(k.Sources, ","), instant(k.CreatedAt))
	if err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	return nil
}

// RevokeKey ends a key for good. It returns [market.ErrNotFound] where there is none
// with this ID; a key that is revoked already keeps its date.
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time) error {
	r, err := s.writes.ExecContext(ctx, `UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?`, instant(at), id)
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("key %s: %w", id, market.ErrNotFound))
	}
	return nil
}
