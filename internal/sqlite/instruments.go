package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

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
