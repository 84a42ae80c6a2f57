package postgres

import (
	"context"
	"fmt"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

const (
	jointDays = `SELECT '', start FROM (SELECT DISTINCT start FROM bars WHERE interval = '1d'
		AND instrument_id IN (SELECT id FROM instruments WHERE source = $1)) d ORDER BY start`
	daysBySymbol = `SELECT i.symbol, b.start FROM instruments i JOIN bars b ON b.instrument_id = i.id AND b.interval = '1d'
		WHERE i.source = $1 ORDER BY b.instrument_id, b.start`
	holes = `SELECT DISTINCT CASE WHEN $2 THEN '' ELSE q.symbol END, q.interval, q.start
		FROM quarantine q LEFT JOIN instruments i ON i.symbol = q.symbol
		LEFT JOIN bars b ON b.instrument_id = i.id AND b.interval = q.interval AND b.start = q.start
		WHERE q.source = $1 AND NOT q.loaded AND b.start IS NULL ORDER BY q.start`
	// One search of the index for each series, however many bars it has.
	latestBars = `SELECT ` + barColumns + `, i.symbol, n.interval
		FROM instruments i CROSS JOIN (VALUES ('1d'), ('1h'), ('1m')) n (interval)
		CROSS JOIN LATERAL (SELECT * FROM bars WHERE instrument_id = i.id AND bars.interval = n.interval
			ORDER BY start DESC LIMIT 1) b
		WHERE i.source = $1`
	// From one resource to the next, over the index, however many payloads each has.
	receipts = `WITH RECURSIVE resources (resource) AS (
			(SELECT resource FROM payloads WHERE source = $1 ORDER BY resource LIMIT 1)
			UNION ALL SELECT (SELECT p.resource FROM payloads p WHERE p.source = $1 AND p.resource > r.resource
				ORDER BY p.resource LIMIT 1) FROM resources r WHERE r.resource IS NOT NULL)
		SELECT resource,
			(SELECT p.received_at FROM payloads p WHERE p.source = $1 AND p.resource = r.resource
				ORDER BY p.received_at DESC LIMIT 1),
			(SELECT p.received_at FROM payloads p WHERE p.source = $1 AND p.resource = r.resource AND p.loaded
				ORDER BY p.received_at DESC LIMIT 1)
		FROM resources r WHERE resource IS NOT NULL`
)

// Coverage returns what the store has of a source.
func (s *Store) Coverage(ctx context.Context, source market.Source) (market.Coverage, error) {
	c := market.Coverage{
		Days: map[string][]market.Date{}, Holes: map[market.SeriesKey][]time.Time{}, Latest: map[market.SeriesKey]market.Bar{},
		Fetched: map[string]time.Time{}, Asked: map[string]time.Time{},
	}
	name, days := text(source.Name), daysBySymbol
	if source.Joint {
		days = jointDays
	}
	batch := &pgx.Batch{}
	batch.Queue(days, name).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			var symbol string
			var at time.Time
			err := rows.Scan(&symbol, &at)
			c.Days[symbol] = append(c.Days[symbol], market.DateOf(at.UTC()))
			return err
		})
	})
	batch.Queue(holes, name, source.Joint).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			var k market.SeriesKey
			var at time.Time
			err := rows.Scan(&k.Symbol, &k.Interval, &at)
			c.Holes[k] = append(c.Holes[k], at.UTC())
			return err
		})
	})
	batch.Queue(latestBars, name).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			var k market.SeriesKey
			b, err := scanBar(rows, &k.Symbol, &k.Interval)
			c.Latest[k] = b
			return err
		})
	})
	batch.Queue(receipts, name).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			var resource string
			var asked time.Time
			var fetched *time.Time
			err := rows.Scan(&resource, &asked, &fetched)
			c.Asked[resource] = asked.UTC()
			if fetched != nil {
				c.Fetched[resource] = fetched.UTC()
			}
			return err
		})
	})
	if err := s.snapshot(ctx, batch); err != nil {
		return market.Coverage{}, fmt.Errorf("coverage: %w", err)
	}
	return c, nil
}
