package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// insertPayload records a receipt. Replayed from the archive it is there already.
func insertPayload(ctx context.Context, tx pgx.Tx, p market.Payload, loaded bool) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO payloads AS p
		(run_id, source, resource, url, status, received_at, sha256, size, loaded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (source, resource, received_at, sha256) DO UPDATE SET loaded = p.loaded OR excluded.loaded RETURNING id`,
		p.RunID, text(p.Source), text(p.Resource), text(p.URL), p.Status, p.ReceivedAt, p.SHA256, p.Size, loaded).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("payload: %w", err)
	}
	return id, nil
}

// SavePayload records a receipt that brought no bars.
func (s *Store) SavePayload(ctx context.Context, p market.Payload) error {
	return s.inSourceTx(ctx, p.Source, func(tx pgx.Tx) error {
		_, err := insertPayload(ctx, tx, p, false)
		return err
	})
}

// inSourceTx runs f in one write transaction that does not bring bars.
func (s *Store) inSourceTx(ctx context.Context, source string, f func(pgx.Tx) error) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if source == market.Simulated { // which a load of real bars may be dropping
			if err := lockSimulated(ctx, tx, source); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// saveInstruments returns the IDs of instruments by symbol. New ones are stored, and
// known ones brought up to date where the batch names them.
func saveInstruments(ctx context.Context, tx pgx.Tx, list []market.Instrument) (map[string]int32, error) {
	ids := make(map[string]int32, len(list))
	batch := &pgx.Batch{}
	for _, i := range list {
		batch.Queue(`WITH updated AS (UPDATE instruments SET name = $2, kind = $3, base = $4, quote = $5, calendar = $7, licence = $8
				WHERE symbol = $1 AND source = $6 AND $2 <> ''
					AND (name, kind, base, quote, calendar, licence) <> ($2, $3, $4, $5, $7, $8)),
			added AS (INSERT INTO instruments (symbol, name, kind, base, quote, source, calendar, licence)
				SELECT $1, coalesce(nullif($2, ''), $1), $3, $4, $5, $6, $7, $8
				WHERE NOT EXISTS (SELECT 1 FROM instruments WHERE symbol = $1 AND source = $6) RETURNING id)
			SELECT id FROM added UNION ALL SELECT id FROM instruments WHERE symbol = $1 AND source = $6`,
			i.Symbol, text(i.Name), i.Kind, i.Base, i.Quote, i.Source, i.Calendar, i.Licence).QueryRow(func(row pgx.Row) error {
			var id int32
			err := row.Scan(&id)
			ids[i.Symbol] = id
			return err
		})
	}
	if batch.Len() == 0 {
		return ids, nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("instruments: %w", err)
	}
	return ids, nil
}

// digest is by what a flaw is known.
func digest(q market.Quarantined) []byte {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		q.Source, q.Symbol, string(q.Interval), q.Start.UTC().Format(time.RFC3339), market.SHA256([]byte(q.Raw)), q.Reason,
	}, "\x00")))
	return sum[:]
}

// countInto notes how many rows a statement of a batch has written.
func countInto(n *int64) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		*n = tag.RowsAffected()
		return nil
	}
}

// Payload returns the newest receipt of the bytes with this hash, or [market.ErrNotFound].
func (s *Store) Payload(ctx context.Context, sha256 string) (market.Payload, error) {
	var p market.Payload
	err := s.reads.QueryRow(ctx, `SELECT id, run_id, source, resource, url, status, received_at, sha256, size
		FROM payloads WHERE sha256 = $1 ORDER BY id DESC LIMIT 1`, text(sha256)).
		Scan(&p.ID, &p.RunID, &p.Source, &p.Resource, &p.URL, &p.Status, &p.ReceivedAt, &p.SHA256, &p.Size)
	p.ReceivedAt = p.ReceivedAt.UTC()
	if errors.Is(err, pgx.ErrNoRows) {
		return p, fmt.Errorf("payload %s: %w", sha256, market.ErrNotFound)
	}
	if err != nil {
		return p, fmt.Errorf("payload: %w", err)
	}
	return p, nil
}
