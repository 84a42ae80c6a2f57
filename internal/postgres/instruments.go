package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// A series has ended where its source went on for $1 without it.
const instrumentSelect = `SELECT symbol, name, kind, base, quote, source, calendar, licence, first, last,
	coalesce(last + $1::interval < (SELECT max(o.last) FROM instruments o WHERE o.source = i.source), false)
	FROM instruments i`

func scanInstrument(row pgx.Row) (market.Instrument, error) {
	var i market.Instrument
	var first, last *time.Time
	err := row.Scan(&i.Symbol, &i.Name, &i.Kind, &i.Base, &i.Quote, &i.Source, &i.Calendar, &i.Licence, &first, &last, &i.Ended)
	i.First, i.Last = fromInstant(first), fromInstant(last)
	return i, err
}

// Instruments returns the instruments of a query.
func (s *Store) Instruments(ctx context.Context, q market.InstrumentQuery) ([]market.Instrument, error) {
	var list []market.Instrument
	err := each(ctx, s.reads, func(rows pgx.Rows) error {
		i, err := scanInstrument(rows)
		list = append(list, i)
		return err
	}, instrumentSelect+` WHERE ($2 = '' OR source = $2) AND ($3 = '' OR kind = $3) AND symbol > $4
		AND ($5 = '' OR strpos(lower(symbol), $5) > 0 OR strpos(lower(name), $5) > 0) ORDER BY symbol LIMIT $6`,
		market.EndedAfter, text(q.Source), text(q.Kind), text(q.After), strings.ToLower(text(q.Text)), q.Limit)
	return list, err
}

// Instrument returns one instrument, or [market.ErrNotFound].
func (s *Store) Instrument(ctx context.Context, symbol string) (market.Instrument, error) {
	i, err := scanInstrument(s.reads.QueryRow(ctx, instrumentSelect+` WHERE symbol = $2`, market.EndedAfter, text(symbol)))
	if errors.Is(err, pgx.ErrNoRows) {
		return i, fmt.Errorf("instrument %s: %w", symbol, market.ErrNotFound)
	}
	if err != nil {
		return i, fmt.Errorf("instrument: %w", err)
	}
	return i, nil
}
