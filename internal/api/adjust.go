package api

import (
	"context"
	"math"
	"slices"
	"time"

	"bourse/internal/market"
)

// adjustment reads how bars are to be adjusted. Only daily bars can be: actions have a
// day and no time.
func (p *params) adjustment(interval market.Interval) market.Adjustment {
	a := market.Adjustment(p.oneOf("adjustment", string(market.Raw), string(market.SplitOnly), string(market.All)))
	if a != market.Raw && interval != market.Day {
		p.fail("adjustment", "only daily bars are adjusted")
	}
	return a
}

// adjusted returns the bars of a query, adjusted. An adjusted bar depends on all actions
// after it and on the closes before these, so all bars from the first one on are read.
func (a *API) adjusted(ctx context.Context, q market.BarQuery, by market.Adjustment) ([]market.Bar, error) {
	if by == market.Raw {
		return a.cfg.Store.Bars(ctx, q)
	}
	actions, err := a.cfg.Store.Actions(ctx, q.Symbol, q.AsOf)
	if err != nil {
		return nil, err
	}
	var splits, dividends []market.Action
	for _, l := range actions {
		switch l.Kind {
		case market.Split:
			splits = l.Actions
		case market.Dividend:
			dividends = l.Actions
		}
	}
	bars, err := a.cfg.Store.Bars(ctx, market.BarQuery{
		Symbol: q.Symbol, Interval: q.Interval, From: q.From, AsOf: q.AsOf, Limit: math.MaxInt32,
	})
	if err != nil {
		return nil, err
	}
	if bars, err = by.Apply(bars, splits, dividends); err != nil {
		return nil, err
	}
	if !q.To.IsZero() {
		end, _ := slices.BinarySearchFunc(bars, q.To, func(b market.Bar, t time.Time) int { return b.Start.Compare(t) })
		bars = bars[:end]
	}
	if q.Descending {
		slices.Reverse(bars)
	}
	return bars[:min(len(bars), q.Limit)], nil
}
