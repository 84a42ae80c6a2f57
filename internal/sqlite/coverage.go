package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bourse/internal/market"
)

const (
	jointDays = `SELECT '', start FROM (SELECT DISTINCT start FROM bars WHERE interval = '1d'
		AND instrument_id IN (SELECT id FROM instruments WHERE source = ?)) ORDER BY start`
	daysBySymbol = `SELECT symbol, start FROM instruments JOIN bars ON instrument_id = id AND interval = '1d'
		WHERE source = ? ORDER BY id, start`
	holes = `SELECT DISTINCT CASE WHEN ?2 THEN '' ELSE q.symbol END, q.interval, q.start
		FROM quarantine q LEFT JOIN instruments i ON i.symbol = q.symbol
		LEFT JOIN bars b ON b.instrument_id = i.id AND b.interval = q.interval AND b.start = q.start
		WHERE q.source = ?1 AND NOT q.loaded AND b.start IS NULL ORDER BY q.start`
	// One search of the index for each series, however many bars it has.
	latestBars = `SELECT ` + barColumns + `, symbol, bars.interval
		FROM instruments JOIN (SELECT '1d' AS interval UNION ALL SELECT '1h' UNION ALL SELECT '1m') n
		JOIN bars ON instrument_id = id AND bars.interval = n.interval AND start = (SELECT l.start FROM bars l
			WHERE l.instrument_id = id AND l.interval = n.interval ORDER BY l.start DESC LIMIT 1)
		WHERE source = ?`
	// From one resource to the next, over the index, however many payloads each has.
	receipts = `WITH RECURSIVE resources (resource) AS (
			SELECT min(resource) FROM payloads WHERE source = ?1
			UNION ALL SELECT (SELECT min(p.resource) FROM payloads p WHERE p.source = ?1 AND p.resource > r.resource)
				FROM resources r WHERE r.resource IS NOT NULL)
		SELECT resource,
			(SELECT p.received_at FROM payloads p WHERE p.source = ?1 AND p.resource = r.resource
				ORDER BY p.received_at DESC LIMIT 1),
			(SELECT p.received_at FROM payloads p WHERE p.source = ?1 AND p.resource = r.resource AND p.loaded
				ORDER BY p.received_at DESC LIMIT 1)
		FROM resources r WHERE resource IS NOT NULL`
)

// Coverage returns what the store has of a source.
func (s *Store) Coverage(ctx context.Context, source market.Source) (market.Coverage, error) {
	c := market.Coverage{
		Days: map[string][]market.Date{}, Holes: map[market.SeriesKey][]time.Time{}, Latest: map[market.SeriesKey]market.Bar{},
		Fetched: map[string]time.Time{}, Asked: map[string]time.Time{},
	}
	days := daysBySymbol
	if source.Joint {
		days = jointDays
	}
	err := errors.Join(
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var symbol string
			var at int64
			err := rows.Scan(&symbol, &at)
			c.Days[symbol] = append(c.Days[symbol], market.DateOf(time.Unix(at, 0).UTC()))
			return err
		}, days, source.Name),
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var k market.SeriesKey
			var at int64
			err := rows.Scan(&k.Symbol, &k.Interval, &at)
			c.Holes[k] = append(c.Holes[k], time.Unix(at, 0).UTC())
			return err
		}, holes, source.Name, source.Joint),
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var k market.SeriesKey
			b, err := scanBar(rows, &k.Symbol, &k.Interval)
			c.Latest[k] = b
			return err
		}, latestBars, source.Name),
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var resource string
			var asked, fetched sql.NullInt64
			err := rows.Scan(&resource, &asked, &fetched)
			c.Asked[resource] = fromInstant(asked)
			if fetched.Valid {
				c.Fetched[resource] = fromInstant(fetched)
			}
			return err
		}, receipts, source.Name),
	)
	if err != nil {
		return market.Coverage{}, fmt.Errorf("coverage: %w", err)
	}
	return c, nil
}
