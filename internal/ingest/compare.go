package ingest

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"bourse/internal/market"
)

// compare tells of each difference between the model and the store. It takes out of
// the model what the store has, so that what is left is missing.
func (v *verifier) compare(ctx context.Context) error {
	total, done := len(v.model), 0
	for key, err := range v.stored(ctx) {
		if err != nil {
			return err
		}
		v.cfg.Progress(Progress{Source: v.report.Source, Step: "compare", Done: done, Total: total, Item: key.Symbol})
		for bar, err := range v.bars(ctx, key, time.Time{}) {
			if err != nil {
				return err
			}
			if err := v.compareBar(ctx, key, bar); err != nil {
				return err
			}
			delete(v.model[key], bar.Start.Unix())
		}
		if v.model[key] != nil {
			done++
		}
	}
	for _, key := range v.model.series() {
		for _, d := range inOrder(v.model[key]) {
			err := v.found(Finding{
				Kind: BarMissing, SHA256: d.sha256, Symbol: key.Symbol, Interval: key.Interval, Start: d.bar.Start, Derived: raw(d.bar),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verifier) compareBar(ctx context.Context, key market.SeriesKey, bar market.Bar) error {
	f := Finding{Symbol: key.Symbol, Interval: key.Interval, Start: bar.Start, Stored: raw(bar)}
	switch d, ok := v.model[key][bar.Start.Unix()]; {
	case !ok:
		f.Kind = BarUnexplained
		_, err := v.names(ctx, barKey{key, bar.Start.Unix()}, func(version market.Version) bool {
			f.SHA256 = version.Payload.SHA256
			return version.Current
		})
		if err != nil {
			return err
		}
	case !d.bar.Same(bar):
		f.Kind, f.SHA256, f.Derived = ValueDiffers, d.sha256, raw(d.bar)
	case d.unproven:
		v.report.Unproven++
		return nil
	default:
		v.report.Values++
		return nil
	}
	return v.found(f)
}

// trust takes over from the store what payloads brought that can't be read any more.
// Without that, all of it would seem to be wrong, and so would what was decided by it,
// such as holding a restatement.
//
// What is taken is what the store knew when the newest receipt so far came in. It takes
// a second for the whole store, so it is put off until a payload would change something:
// those that confirm what is there do not care.
func (v *verifier) trust(ctx context.Context) error {
	for key, err := range v.stored(ctx) {
		if err != nil {
			return err
		}
		for bar, err := range v.bars(ctx, key, v.last) {
			if err != nil {
				return err
			}
			have, ok := v.model[key][bar.Start.Unix()]
			if ok && have.bar.Same(bar) {
				continue
			}
			if ok { // another value is believed only where it is said to come from a lost payload
				if ok, err = v.names(ctx, barKey{key, bar.Start.Unix()}, v.isLost); err != nil {
					return err
				}
				if !ok {
					continue
				}
			}
			v.model.set(key, derived{bar: bar, unproven: true})
		}
	}
	v.lost = nil
	return nil
}

func (v *verifier) isLost(version market.Version) bool {
	return slices.ContainsFunc(v.lost, func(n receiptName) bool {
		return version.KnownAt.Equal(n.at) && strings.HasPrefix(version.Payload.SHA256, n.hash)
	})
}

// stored iterates over the series that the store can have of the source.
func (v *verifier) stored(ctx context.Context) iter.Seq2[market.SeriesKey, error] {
	return func(yield func(market.SeriesKey, error) bool) {
		q := market.InstrumentQuery{Source: v.report.Source, Limit: page}
		for {
			list, err := v.cfg.Store.Instruments(ctx, q)
			if err != nil {
				yield(market.SeriesKey{}, err)
				return
			}
			for _, i := range list {
				q.After = i.Symbol
				for _, interval := range []market.Interval{market.Day, market.Hour, market.Minute} {
					if !yield(market.SeriesKey{Symbol: i.Symbol, Interval: interval}, nil) {
						return
					}
				}
			}
			if len(list) < page {
				return
			}
		}
	}
}

// bars iterates over the bars of a series as they were known at a time, zero being now.
func (v *verifier) bars(ctx context.Context, key market.SeriesKey, asOf time.Time) iter.Seq2[market.Bar, error] {
	return func(yield func(market.Bar, error) bool) {
		q := market.BarQuery{Symbol: key.Symbol, Interval: key.Interval, AsOf: asOf, Limit: page}
		for {
			list, err := v.cfg.Store.Bars(ctx, q)
			if err != nil && !errors.Is(err, market.ErrNotFound) {
				yield(market.Bar{}, err)
				return
			}
			for _, bar := range list {
				if !yield(bar, nil) {
					return
				}
			}
			if len(list) < page {
				return
			}
			q.From = list[len(list)-1].Start.Add(time.Second)
		}
	}
}

func inOrder(bars map[int64]derived) []derived {
	list := make([]derived, 0, len(bars))
	for _, d := range bars {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b derived) int { return cmp.Compare(a.bar.Start.Unix(), b.bar.Start.Unix()) })
	return list
}
