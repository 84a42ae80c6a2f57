package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"bourse/internal/market"
)

// Actions returns the newest list of each kind that was known at a time, zero being
// now, ordered by kind; or [market.ErrNotFound] where there is no such instrument.
func (s *Store) Actions(ctx context.Context, symbol string, asOf time.Time) ([]market.KnownActions, error) {
	id, err := s.instrumentID(ctx, symbol)
	if err != nil {
		return nil, err
	}
	until := int64(math.MaxInt64)
	if !asOf.IsZero() {
		until = asOf.UnixMicro()
	}
	var list []market.KnownActions
	err = each(ctx, s.reads, func(rows *sql.Rows) error {
		k := market.KnownActions{ActionList: market.ActionList{Symbol: symbol}}
		var known int64
		var text string
		err := rows.Scan(&k.Kind, &known, &text, &k.SHA256)
		if err == nil {
			k.KnownAt = time.UnixMicro(known).UTC()
			k.Actions, err = decodeActions(text)
		}
		list = append(list, k)
		return err
	}, newestActions, id, until)
	if err != nil {
		return nil, fmt.Errorf("actions: %w", err)
	}
	return list, nil
}

// With max() SQLite takes the other columns from the row that has it.
const newestActions = `SELECT kind, known, list, sha256
	FROM (SELECT kind, max(known_at) AS known, payload_id, list FROM actions
		WHERE instrument_id = ? AND known_at <= ? GROUP BY kind)
	JOIN payloads p ON p.id = payload_id ORDER BY kind`

// actions stores those lists that differ from the one known when the payload was
// received, and counts their actions against that.
//
// A list that says the same leaves no trace. So one that is loaded late, and was received
// between two that say the same, counts as newer than the second.
func (l *loader) actions(ctx context.Context, lists []market.ActionList) error {
	seen := map[string]bool{}
	for _, list := range lists {
		id, ok := l.ids[list.Symbol]
		key := list.Symbol + " " + string(list.Kind)
		switch {
		case !ok:
			return fmt.Errorf("%s: actions of an instrument that the batch does not have", key)
		case seen[key]:
			return fmt.Errorf("%s: the batch has the list twice", key)
		case !ascending(list.Actions):
			return fmt.Errorf("%s: the actions are not ascending", key)
		}
		seen[key] = true
		before, known, err := l.actionsBefore(ctx, id, list.Kind)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		counts := list.Change(before)
		l.counts.Add(counts)
		if known && counts.Inserted+counts.Revised == 0 {
			continue
		}
		text, err := json.Marshal(append([]market.Action{}, list.Actions...))
		if err == nil {
			_, err = l.tx.ExecContext(ctx, `INSERT INTO actions (instrument_id, kind, known_at, payload_id, list) VALUES (?, ?, ?, ?, ?)`,
				id, list.Kind, l.known, l.payload, string(text))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// actionsBefore returns the newest list known when the payload was received, and
// whether there was one.
func (l *loader) actionsBefore(ctx context.Context, id int64, kind market.ActionKind) ([]market.Action, bool, error) {
	var text string
	err := l.tx.QueryRowContext(ctx, `SELECT list FROM actions WHERE instrument_id = ? AND kind = ? AND known_at <= ?
		ORDER BY known_at DESC LIMIT 1`, id, kind, l.known).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("stored list: %w", err)
	}
	list, err := decodeActions(text)
	return list, true, err
}

func ascending(list []market.Action) bool {
	for i := 1; i < len(list); i++ {
		if list[i].Day <= list[i-1].Day {
			return false
		}
	}
	return true
}

func decodeActions(text string) ([]market.Action, error) {
	var list []market.Action
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("stored list: %w", err)
	}
	return list, nil
}
