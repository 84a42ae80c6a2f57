package ingest

import (
	"context"
	"errors"
	"slices"
	"time"

	"bourse/internal/market"
)

// GapKind is what is missing.
type GapKind string

// The kinds of gap.
const (
	// NoData means that there is not one value, so that no day can be missing.
	NoData GapKind = "no_data"
	// DayMissing is a day of the calendar without a value.
	DayMissing GapKind = "day_missing"
	// ValueHeld is a value in quarantine that nothing has replaced.
	ValueHeld GapKind = "value_held"
)

// Gap is something that should be in the store and is not.
type Gap struct {
	Kind GapKind
	Day  market.Date        // none for NoData
	Held market.Quarantined // for ValueHeld
}

// Coverage is what Gaps looked at.
type Coverage struct {
	Source                  string
	Days                    int         // with at least one value
	First, Newest, Expected market.Date // First and Newest only where there are days
	Gaps                    []Gap       // ascending by day
}

// Gaps returns what is missing of a source from its first day to the newest one whose
// values should be out by now. A day without any value is missing; a currency without
// one is not, since the bank writes N/A for those that it does not fix.
func (in *Ingester) Gaps(ctx context.Context, src Source) (Coverage, error) {
	info := src.Info()
	have, err := in.cfg.Store.Coverage(ctx, info.Name)
	if err != nil {
		return Coverage{}, err
	}
	c := Coverage{Source: info.Name, Days: len(have.Days), Expected: info.Expected(in.cfg.Now())}
	if c.Days == 0 {
		c.Gaps = []Gap{{Kind: NoData}}
		return c, nil
	}
	c.First, c.Newest = have.Days[0], have.Days[c.Days-1]
	held, err := in.held(ctx, info.Name, have.Holes)
	if err != nil {
		return Coverage{}, err
	}
	for _, day := range have.Missing(info.Calendar, c.Expected) {
		if _, there := slices.BinarySearch(have.Days, day); !there {
			c.Gaps = append(c.Gaps, Gap{Kind: DayMissing, Day: day})
		}
		for _, q := range held[day] {
			c.Gaps = append(c.Gaps, Gap{Kind: ValueHeld, Day: day, Held: q})
		}
	}
	return c, nil
}

// held returns the daily values in quarantine that nothing has replaced, of days that
// are known to have some.
func (in *Ingester) held(ctx context.Context, source string, days []market.Date) (map[market.Date][]market.Quarantined, error) {
	if len(days) == 0 {
		return nil, nil
	}
	held := map[market.Date][]market.Quarantined{}
	q := market.RecordQuery{Source: source, Limit: page}
	for {
		list, err := in.cfg.Store.Quarantine(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			q.Before = v.ID
			day := market.DateOf(v.Start)
			if _, ok := slices.BinarySearch(days, day); !ok || v.Loaded || v.Interval != market.Day {
				continue
			}
			replaced, err := in.replaced(ctx, v)
			if err != nil {
				return nil, err
			}
			if !replaced {
				held[day] = append(held[day], v)
			}
		}
		if len(list) < page {
			return held, nil
		}
	}
}

func (in *Ingester) replaced(ctx context.Context, v market.Quarantined) (bool, error) {
	bars, err := in.cfg.Store.Bars(ctx, market.BarQuery{
		Symbol: v.Symbol, Interval: v.Interval, From: v.Start, To: v.Start.Add(time.Second), Limit: 1,
	})
	if errors.Is(err, market.ErrNotFound) {
		return false, nil
	}
	return len(bars) > 0, err
}
