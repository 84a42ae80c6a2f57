package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"bourse/internal/market"

	"github.com/govalues/decimal"
)

const barColumns = `start, open, high, low, close, volume, provisional`

// scanBar reads barColumns and what follows them.
func scanBar(row interface{ Scan(...any) error }, more ...any) (market.Bar, error) {
	var b market.Bar
	var at int64
	var open, high, low, closing string
	var vol sql.NullString
	if err := row.Scan(append([]any{&at, &open, &high, &low, &closing, &vol, &b.Provisional}, more...)...); err != nil {
		return b, err
	}
	b.Start = time.Unix(at, 0).UTC()
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
	if vol.Valid {
		b.Volume.Valid = true
		if b.Volume.Decimal, err = decimal.Parse(vol.String); err != nil {
			return b, fmt.Errorf("stored volume: %w", err)
		}
	}
	return b, nil
}

// Bars returns the bars of a query, or [market.ErrNotFound] where there is no such
// instrument.
func (s *Store) Bars(ctx context.Context, q market.BarQuery) ([]market.Bar, error) {
	id, err := s.instrumentID(ctx, q.Symbol)
	if err != nil {
		return nil, err
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = q.From.Unix()
	}
	if !q.To.IsZero() {
		to = q.To.Unix()
	}
	order := " ORDER BY start LIMIT ?"
	if q.Descending {
		order = " ORDER BY start DESC LIMIT ?"
	}
	args := []any{id, q.Interval, from, to}
	const where = ` WHERE instrument_id = ?1 AND interval = ?2 AND start >= ?3 AND start < ?4`
	query := `SELECT ` + barColumns + ` FROM bars` + where + order
	if !q.AsOf.IsZero() {
		// With max() SQLite takes the other columns from the row that has it.
		query = `SELECT ` + barColumns + ` FROM (SELECT ` + barColumns + `, max(known_at) FROM (
			SELECT ` + barColumns + `, known_at FROM bars` + where + ` AND known_at <= ?5
			UNION ALL SELECT ` + barColumns + `, known_at FROM revisions` + where + ` AND known_at <= ?5)
			GROUP BY start)` + order
		args = append(args, q.AsOf.UnixMicro())
	}
	var bars []market.Bar
	err = each(ctx, s.reads, func(rows *sql.Rows) error {
		b, err := scanBar(rows)
		bars = append(bars, b)
		return err
	}, query, append(args, q.Limit)...)
	return bars, err
}

func (s *Store) instrumentID(ctx context.Context, symbol string) (int64, error) {
	var id int64
	err := s.reads.QueryRowContext(ctx, `SELECT id FROM instruments WHERE symbol = ?`, symbol).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("instrument %s: %w", symbol, market.ErrNotFound)
	}
	if err != nil {
		return 0, fmt.Errorf("instrument: %w", err)
	}
	return id, nil
}

// Versions returns every value that a bar has had, newest first, or
// [market.ErrNotFound] where there is none.
func (s *Store) Versions(ctx context.Context, symbol string, interval market.Interval, start time.Time) ([]market.Version, error) {
	id, err := s.instrumentID(ctx, symbol)
	if err != nil {
		return nil, err
	}
	list, err := versions(ctx, s.reads, id, interval, start)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s of %s: %w", symbol, interval.Format(start), market.ErrNotFound)
	}
	return list, err
}

func versions(ctx context.Context, db queryer, id int64, interval market.Interval, start time.Time) ([]market.Version, error) {
	var list []market.Version
	err := each(ctx, db, func(rows *sql.Rows) error {
		var v market.Version
		var known, received int64
		p := &v.Payload
		bar, err := scanBar(rows, &known, &v.Current,
			&p.ID, &p.RunID, &p.Source, &p.Resource, &p.URL, &p.Status, &received, &p.SHA256, &p.Size)
		v.Bar, v.KnownAt, p.ReceivedAt = bar, time.UnixMicro(known).UTC(), time.UnixMicro(received).UTC()
		list = append(list, v)
		return err
	}, `SELECT `+barColumns+`, known_at, current,
			p.id, p.run_id, p.source, p.resource, p.url, p.status, p.received_at, p.sha256, p.size
		FROM (SELECT `+barColumns+`, known_at, payload_id, 1 AS current FROM bars
				WHERE instrument_id = ?1 AND interval = ?2 AND start = ?3
			UNION ALL SELECT `+barColumns+`, known_at, payload_id, 0 FROM revisions
				WHERE instrument_id = ?1 AND interval = ?2 AND start = ?3)
		JOIN payloads p ON p.id = payload_id ORDER BY known_at DESC, current DESC`, id, interval, start.Unix())
	return list, err
}
