package postgres

import (
	"context"
	"fmt"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// Actions returns the newest list of each kind that was known at a time, zero being
// now, ordered by kind; or [market.ErrNotFound] where there is no such instrument.
func (s *Store) Actions(ctx context.Context, symbol string, asOf time.Time) ([]market.KnownActions, error) {
	var list []market.KnownActions
	err := s.ofInstrument(ctx, symbol, func(rows pgx.Rows) error {
		k := market.KnownActions{ActionList: market.ActionList{Symbol: symbol}}
		err := rows.Scan(&k.Kind, &k.KnownAt, &k.Actions, &k.SHA256)
		k.KnownAt = k.KnownAt.UTC()
		list = append(list, k)
		return err
	}, `SELECT kind, known_at, list, sha256
		FROM (SELECT DISTINCT ON (kind) kind, known_at, list, payload_id FROM actions
			WHERE instrument_id = `+instrument+` AND known_at <= coalesce($2, 'infinity'::timestamptz)
			ORDER BY kind, known_at DESC) a
		JOIN payloads p ON p.id = payload_id ORDER BY kind`, text(symbol), instant(asOf))
	if err != nil {
		return nil, fmt.Errorf("actions: %w", err)
	}
	return list, nil
}

// actions stores those lists that differ from the one known when the payload was
// received, and counts their actions against that.
//
// A list that says the same leaves no trace. So one that is loaded late, and was received
// between two that say the same, counts as newer than the second.
func (l *loader) actions(ctx context.Context, lists []market.ActionList) error {
	if err := checkActions(lists, l.ids); err != nil {
		return err
	}
	before, err := l.actionsBefore(ctx, lists)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i, list := range lists {
		counts := list.Change(before[i].actions)
		l.counts.Add(counts)
		if before[i].known && counts.Inserted+counts.Revised == 0 {
			continue
		}
		batch.Queue(`INSERT INTO actions (instrument_id, kind, known_at, payload_id, list) VALUES ($1, $2, $3, $4, $5)`,
			l.ids[list.Symbol], text(list.Kind), l.known, l.payload, append([]market.Action{}, list.Actions...))
	}
	return l.send(ctx, batch, "actions")
}

func checkActions(lists []market.ActionList, ids map[string]int32) error {
	seen := map[string]bool{}
	for _, list := range lists {
		_, ok := ids[list.Symbol]
		key := list.Symbol + " " + string(list.Kind)
		switch {
		case !ok:
			return fmt.Errorf("%s: actions of an instrument that the batch does not have", key)
		case seen[key]:
			return fmt.Errorf("%s: the batch has the list twice", key)
		}
		seen[key] = true
		for i := 1; i < len(list.Actions); i++ {
			if list.Actions[i].Day <= list.Actions[i-1].Day {
				return fmt.Errorf("%s: the actions are not ascending", key)
			}
		}
	}
	return nil
}

// knownList is what was known before, if anything was.
type knownList struct {
	actions []market.Action
	known   bool
}

// actionsBefore returns of each list the newest one known when the payload was received.
func (l *loader) actionsBefore(ctx context.Context, lists []market.ActionList) ([]knownList, error) {
	before := make([]knownList, len(lists))
	batch := &pgx.Batch{}
	for i, list := range lists {
		batch.Queue(`SELECT list FROM actions WHERE instrument_id = $1 AND kind = $2 AND known_at <= $3
			ORDER BY known_at DESC LIMIT 1`, l.ids[list.Symbol], text(list.Kind), l.known).Query(func(rows pgx.Rows) error {
			return scanned(rows, func(rows pgx.Rows) error {
				before[i].known = true
				return rows.Scan(&before[i].actions)
			})
		})
	}
	return before, l.send(ctx, batch, "stored actions")
}
