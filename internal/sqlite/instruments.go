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

// A series has ended where its source went on for ?1 seconds without it.
const instrumentSelect = `SELECT symbol, name, kind, base, quote, source, calendar, licence, first, last,
	coalesce(last + ?1 < (SELECT max(o.last) FROM instruments o WHERE o.source = i.source), 0)
	FROM instruments i`

func scanInstrument(row interface{ Scan(...any) error }) (market.Instrument, error) {
	var i market.Instrument
	var first, last sql.NullInt64
	err := row.Scan(&i.Symbol, &i.Name, &i.Kind, &i.Base, &i.Quote, &i.Source, &i.Calendar, &i.Licence, &first, &last, &i.Ended)
	i.First, i.Last = fromStart(first), fromStart(last)
	return i, err
}

// Instruments returns the instruments of a query.
func (s *Store) Instruments(ctx context.Context, q market.InstrumentQuery) ([]market.Instrument, error) {
	var list []market.Instrument
	err := each(ctx, s.reads, func(rows *sql.Rows) error {
		i, err := scanInstrument(rows)
		list = append(list, i)
		return err
	}, instrumentSelect+` WHERE (?2 = '' OR source = ?2) AND (?3 = '' OR kind = ?3) AND symbol > ?4
		AND (?5 = '' OR instr(lower(symbol), ?5) OR instr(lower(name), ?5)) ORDER BY symbol LIMIT ?6`,
		int64(market.EndedAfter.Seconds()), q.Source, q.Kind, q.After, strings.ToLower(q.Text), q.Limit)
	return list, err
}

// Instrument returns one instrument, or [market.ErrNotFound].
func (s *Store) Instrument(ctx context.Context, symbol string) (market.Instrument, error) {
	i, err := scanInstrument(s.reads.QueryRowContext(ctx, instrumentSelect+` WHERE symbol = ?2`, int64(market.EndedAfter.Seconds()), symbol))
	if errors.Is(err, sql.ErrNoRows) {
		return i, fmt.Errorf("instrument %s: %w", symbol, market.ErrNotFound)
	}
	if err != nil {
		return i, fmt.Errorf("instrument: %w", err)
	}
	return i, nil
}

// Coverage returns what the store has of a source's daily bars.
func (s *Store) Coverage(ctx context.Context, source string) (market.Coverage, error) {
	c := market.Coverage{Latest: map[string]market.Bar{}, Fetched: map[string]time.Time{}}
	err := errors.Join(
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var at int64
			err := rows.Scan(&at)
			c.Days = append(c.Days, market.DateOf(time.Unix(at, 0).UTC()))
			return err
		}, `SELECT DISTINCT start FROM bars WHERE interval = '1d'
			AND instrument_id IN (SELECT id FROM instruments WHERE source = ?) ORDER BY start`, source),
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var symbol string
			b, err := scanBar(rows, &symbol)
			c.Latest[symbol] = b
			return err
		}, `SELECT `+barColumns+`, symbol FROM instruments JOIN bars
			ON instrument_id = id AND interval = '1d' AND start = last WHERE source = ?`, source),
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var at int64
			err := rows.Scan(&at)
			c.Holes = append(c.Holes, market.DateOf(time.Unix(at, 0).UTC()))
			return err
		}, `SELECT DISTINCT q.start FROM quarantine q LEFT JOIN instruments i ON i.symbol = q.symbol
			LEFT JOIN bars b ON b.instrument_id = i.id AND b.interval = q.interval AND b.start = q.start
			WHERE q.source = ? AND q.interval = '1d' AND NOT q.loaded AND b.start IS NULL ORDER BY q.start`, source),
		each(ctx, s.reads, func(rows *sql.Rows) error {
			var resource string
			var at sql.NullInt64
			err := rows.Scan(&resource, &at)
			c.Fetched[resource] = fromInstant(at)
			return err
		}, `SELECT resource, max(received_at) FROM payloads WHERE source = ? AND loaded GROUP BY resource`, source),
	)
	if err != nil {
		return market.Coverage{}, fmt.Errorf("coverage: %w", err)
	}
	return c, nil
}
