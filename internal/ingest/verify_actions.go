package ingest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"bourse/internal/market"
)

// listKey names a list of corporate actions.
type listKey struct {
	symbol string
	kind   market.ActionKind
}

// derivedList is a list with the payload that gave it.
type derivedList struct {
	actions []market.Action
	sha256  string
}

// deriveActions takes the lists of a payload into the model.
func (v *verifier) deriveActions(b market.Batch) {
	for _, l := range b.Actions {
		key := listKey{l.Symbol, l.Kind}
		if old, ok := v.lists[key]; !ok || !slices.Equal(old.actions, l.Actions) {
			v.lists[key] = derivedList{l.Actions, b.Payload.SHA256}
		}
	}
}

// countActions adds what the lists of a payload change.
func (v *verifier) countActions(b market.Batch, counts *market.Counts) {
	for _, l := range b.Actions {
		counts.Add(l.Change(v.lists[listKey{l.Symbol, l.Kind}].actions))
	}
}

// acceptedActions reports whether a restatement of lists is in the store.
func (v *verifier) acceptedActions(ctx context.Context, p market.Payload, b market.Batch) (bool, error) {
	for _, l := range b.Actions {
		known, err := v.actions(ctx, l.Symbol, p.ReceivedAt)
		if err != nil {
			return false, err
		}
		if known[l.Kind].SHA256 == p.SHA256 {
			return true, nil
		}
	}
	return false, nil
}

// actions returns the lists of an instrument as the store knew them at a time, zero
// being now.
func (v *verifier) actions(ctx context.Context, symbol string, asOf time.Time) (map[market.ActionKind]market.KnownActions, error) {
	list, err := v.cfg.Store.Actions(ctx, symbol, asOf)
	if err != nil && !errors.Is(err, market.ErrNotFound) {
		return nil, err
	}
	known := make(map[market.ActionKind]market.KnownActions, len(list))
	for _, l := range list {
		known[l.Kind] = l
	}
	return known, nil
}

// compareActions tells of each action that differs between the model and the store.
func (v *verifier) compareActions(ctx context.Context) error {
	symbols := map[string]bool{}
	for key := range v.lists {
		symbols[key.symbol] = true
	}
	for key, err := range v.stored(ctx) {
		if err != nil {
			return err
		}
		symbols[key.Symbol] = true
	}
	for _, symbol := range slices.Sorted(maps.Keys(symbols)) {
		known, err := v.actions(ctx, symbol, time.Time{})
		if err != nil {
			return err
		}
		for _, kind := range []market.ActionKind{market.Dividend, market.Split} {
			if err := v.compareList(symbol, kind, known[kind]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verifier) compareList(symbol string, kind market.ActionKind, stored market.KnownActions) error {
	derived := v.lists[listKey{symbol, kind}]
	if v.broken[stored.SHA256] {
		v.report.Unproven += len(stored.Actions)
		return nil
	}
	text := map[market.Date]*[2]string{}
	for i, actions := range [][]market.Action{stored.Actions, derived.actions} {
		for _, a := range actions {
			if text[a.Day] == nil {
				text[a.Day] = &[2]string{}
			}
			text[a.Day][i] = a.Value.String()
		}
	}
	for _, day := range slices.Sorted(maps.Keys(text)) {
		if pair := text[day]; pair[0] == pair[1] {
			v.report.Values++
			continue
		}
		err := v.found(Finding{
			Kind: ValueDiffers, SHA256: cmp.Or(derived.sha256, stored.SHA256), Symbol: symbol, Action: kind, Interval: market.Day,
			Start: day.Time(), Stored: text[day][0], Derived: text[day][1],
		})
		if err != nil {
			return err
		}
	}
	return nil
}
