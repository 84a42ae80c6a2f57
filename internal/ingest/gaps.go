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

// GapKind is what is missing.
type GapKind string

// The kinds of gap.
const (
	// NoData means that there is not one value of a source or of an instrument, so that no
	// day can be missing.
	NoData GapKind = "no_data"
	// DayMissing is a day of the calendar without a value.
	DayMissing GapKind = "day_missing"
	// ValueHeld is a value in quarantine that nothing has replaced.
	ValueHeld GapKind = "value_held"
)

// Gap is something that should be in the store and is not.
type Gap struct {
	Kind   GapKind
	Symbol string             // none where a source has nothing, or a joint one nothing of a day
	Day    market.Date        // none for NoData
	Held   market.Quarantined // for ValueHeld
}

// Coverage is what Gaps looked at.
type Coverage struct {
	Source                  string
	Days                    int         // with at least one value, of whichever instrument
	First, Newest, Expected market.Date // First and Newest only where there are days
	Gaps                    []Gap       // instrument by instrument, ascending by day
}

// Gaps returns what is missing of a source up to the newest day whose values should be out
// by now. Each instrument is followed from its first day on, and one that has ended to its
// last. The instruments of a joint source are followed as one: a day without any value is
// missing there; a currency without one is not, since the bank writes N/A for those that it
// does not fix.
func (in *Ingester) Gaps(ctx context.Context, src Source) (Coverage, error) {
	info := src.Info()
	have, err := in.cfg.Store.Coverage(ctx, info)
	if err != nil {
		return Coverage{}, err
	}
	c := Coverage{Source: info.Name, Expected: info.Expected(in.cfg.Now())}
	if info.Poll > 0 { // the day of a source that never closes is not over yet
		c.Expected = info.Calendar.Before(c.Expected)
	}
	days := distinct(slices.Concat(slices.Collect(maps.Values(have.Days))...))
	if c.Days = len(days); c.Days == 0 {
		c.Gaps = []Gap{{Kind: NoData}}
		return c, nil
	}
	c.First, c.Newest = days[0], days[c.Days-1]
	held, err := in.held(ctx, info, have.Holes)
	if err != nil {
		return Coverage{}, err
	}
	symbols := slices.Collect(maps.Keys(have.Days))
	for key := range have.Holes {
		symbols = append(symbols, key.Symbol)
	}
	for _, symbol := range distinct(symbols) {
		c.Gaps = append(c.Gaps, c.gaps(symbol, info.Calendar, have, held)...)
	}
	return c, nil
}

func distinct[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// gaps returns what is missing of an instrument: its days, then values within a day.
func (c *Coverage) gaps(symbol string, calendar market.Calendar, have market.Coverage, held map[barKey][]market.Quarantined) (list []Gap) {
	days := have.Days[symbol]
	var missing []market.Date
	for _, start := range have.Holes[market.SeriesKey{Symbol: symbol, Interval: market.Day}] {
		missing = append(missing, market.DateOf(start))
	}
	if len(days) == 0 {
		list = append(list, Gap{Kind: NoData, Symbol: symbol})
	} else {
		to := c.Expected
		// What sends values that are held has not ended.
		if last := slices.Max(slices.Concat(days, missing)); last.Time().Add(market.EndedAfter).Before(c.Newest.Time()) {
			to = last
		}
		missing = have.Missing(symbol, calendar, to)
	}
	valueHeld := func(interval market.Interval, start time.Time) {
		for _, q := range held[barKey{market.SeriesKey{Symbol: symbol, Interval: interval}, start.Unix()}] {
			list = append(list, Gap{Kind: ValueHeld, Symbol: q.Symbol, Day: market.DateOf(start), Held: q})
		}
	}
	for _, day := range missing {
		if _, there := slices.BinarySearch(days, day); !there && len(days) > 0 {
			list = append(list, Gap{Kind: DayMissing, Symbol: symbol, Day: day})
		}
		valueHeld(market.Day, day.Time())
	}
	for _, interval := range []market.Interval{market.Hour, market.Minute} {
		for _, start := range have.Holes[market.SeriesKey{Symbol: symbol, Interval: interval}] {
			valueHeld(interval, start)
		}
	}
	return list
}

// held returns the values in quarantine that nothing has replaced, of times that are
// known to have some.
func (in *Ingester) held(ctx context.Context, src market.Source, holes map[market.SeriesKey][]time.Time) (map[barKey][]market.Quarantined, error) {
	if len(holes) == 0 {
		return nil, nil
	}
	held := map[barKey][]market.Quarantined{}
	q := market.RecordQuery{Source: src.Name, Limit: page}
	for {
		list, err := in.cfg.Store.Quarantine(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			q.Before = v.ID
			at := barKey{market.SeriesKey{Symbol: v.Symbol, Interval: v.Interval}, v.Start.Unix()}
			if src.Joint {
				at.Symbol = ""
			}
			if _, ok := slices.BinarySearchFunc(holes[at.SeriesKey], v.Start, time.Time.Compare); !ok || v.Loaded {
				continue
			}
			replaced, err := in.replaced(ctx, v)
			if err != nil {
				return nil, err
			}
			if !replaced {
				held[at] = append(held[at], v)
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
