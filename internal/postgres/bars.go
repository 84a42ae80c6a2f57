package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/internal/market"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

const (
	barColumns = `b.start, b.open::text, b.high::text, b.low::text, b.close::text, b.volume::text, b.provisional`
	instrument = `(SELECT id FROM instruments WHERE symbol = $1)`
)

// scanBar reads barColumns and what follows them.
func scanBar(row pgx.Row, more ...any) (market.Bar, error) {
	var b market.Bar
	var open, high, low, closing string
	var vol *string
	if err := row.Scan(append([]any{&b.Start, &open, &high, &low, &closing, &vol, &b.Provisional}, more...)...); err != nil {
		return b, err
	}
	b.Start = b.Start.UTC()
	var err error
	if b.Open, err = decimal.Parse(open); err != nil {
		return b, fmt.Errorf("stored price: %w", err)
	}
	for _, p := range []struct {
		to   *market.Decimal
		text string
	}{{&b.High, high}, {&b.Low, low}, {&b.Close, closing}} {
		if p.text == open { // as in every fixing
			*p.to = b.Open
		} else if *p.to, err = decimal.Parse(p.text); err != nil {
			return b, fmt.Errorf("stored price: %w", err)
		}
	}
	if vol != nil {
		b.Volume.Valid = true
		if b.Volume.Decimal, err = decimal.Parse(*vol); err != nil {
			return b, fmt.Errorf("stored volume: %w", err)
		}
	}
	return b, nil
}

// Bars returns the bars of a query, or [market.ErrNotFound] where there is no such
// instrument.
func (s *Store) Bars(ctx context.Context, q market.BarQuery) ([]market.Bar, error) {
	from, to := pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}, pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	if !q.From.IsZero() {
		from = pgtype.Timestamptz{Time: q.From, Valid: true}
	}
	if !q.To.IsZero() {
		to = pgtype.Timestamptz{Time: q.To, Valid: true}
	}
	order := ` ORDER BY b.start LIMIT $5`
	if q.Descending {
		order = ` ORDER BY b.start DESC LIMIT $5`
	}
	args := []any{text(q.Symbol), q.Interval, from, to, q.Limit}
	const where = ` WHERE b.instrument_id = ` + instrument + ` AND b.interval = $2 AND b.start >= $3 AND b.start < $4`
	query := `SELECT ` + barColumns + ` FROM bars b` + where + order
	if !q.AsOf.IsZero() {
		// Every version has its bar, so the bars are walked in order, and only where
		// one is too new its revisions are asked.
		query = `SELECT v.* FROM bars b CROSS JOIN LATERAL (
			SELECT ` + barColumns + ` WHERE b.known_at <= $6
			UNION ALL (SELECT ` + revisionColumns + ` FROM revisions r WHERE b.known_at > $6 AND r.known_at <= $6
				AND r.instrument_id = b.instrument_id AND r.interval = b.interval AND r.start = b.start
				ORDER BY r.known_at DESC LIMIT 1)) v` + where + order
		args = append(args, q.AsOf)
	}
	var bars []market.Bar
	err := s.ofInstrument(ctx, q.Symbol, func(rows pgx.Rows) error {
		b, err := scanBar(rows)
		bars = append(bars, b)
		return err
	}, query, args...)
	return bars, err
}

const revisionColumns = `r.start, r.open::text, r.high::text, r.low::text, r.close::text, r.volume::text, r.provisional`

// ofInstrument calls scan for each row of a query on one instrument, which must be there.
func (s *Store) ofInstrument(ctx context.Context, symbol string, scan func(pgx.Rows) error, query string, args ...any) error {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT id FROM instruments WHERE symbol = $1`, text(symbol)).QueryRow(func(row pgx.Row) error {
		var id int32
		if err := row.Scan(&id); errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("instrument %s: %w", symbol, market.ErrNotFound)
		} else if err != nil {
			return fmt.Errorf("instrument: %w", err)
		}
		return nil
	})
	batch.Queue(query, args...).Query(func(rows pgx.Rows) error { return scanned(rows, scan) })
	return s.snapshot(ctx, batch)
}

// Versions returns every value that a bar has had, newest first, or
// [market.ErrNotFound] where there is none.
func (s *Store) Versions(ctx context.Context, symbol string, interval market.Interval, start time.Time) ([]market.Version, error) {
	var list []market.Version
	err := s.ofInstrument(ctx, symbol, func(rows pgx.Rows) error {
		var v market.Version
		p := &v.Payload
		bar, err := scanBar(rows, &v.KnownAt, &v.Current,
			&p.ID, &p.RunID, &p.Source, &p.Resource, &p.URL, &p.Status, &p.ReceivedAt, &p.SHA256, &p.Size)
		v.Bar, v.KnownAt, p.ReceivedAt = bar, v.KnownAt.UTC(), p.ReceivedAt.UTC()
		list = append(list, v)
		return err
	}, `SELECT `+barColumns+`, known_at, current,
			p.id, p.run_id, p.source, p.resource, p.url, p.status, p.received_at, p.sha256, p.size
		FROM (SELECT start, open, high, low, close, volume, provisional, known_at, payload_id, true AS current FROM bars
				WHERE instrument_id = `+instrument+` AND interval = $2 AND start = $3
			UNION ALL SELECT start, open, high, low, close, volume, provisional, known_at, payload_id, false FROM revisions
				WHERE instrument_id = `+instrument+` AND interval = $2 AND start = $3) b
		JOIN payloads p ON p.id = payload_id ORDER BY known_at DESC, current DESC`, text(symbol), interval, start)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s of %s: %w", symbol, interval.Format(start), market.ErrNotFound)
	}
	return list, err
}
