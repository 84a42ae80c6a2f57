package market

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/govalues/decimal"
)

// Adjustment says which corporate actions have been taken out of prices.
type Adjustment string

// The adjustments.
const (
	Raw       Adjustment = "raw"   // none: prices as they were traded
	SplitOnly Adjustment = "split" // splits
	All       Adjustment = "all"   // splits and dividends
)

// Valid reports whether a is an adjustment that bourse knows.
func (a Adjustment) Valid() bool { return a == Raw || a == SplitOnly || a == All }

// AdjustedScale is how many digits after the point an adjusted value keeps: two more than
// exchanges quote, so that the prices of long ago, which are small by now, still say something.
const AdjustedScale = 6

// Apply returns the bars as they would have been had the actions not happened. It takes the
// raw daily bars of one instrument, ascending and up to the newest there is, and all actions
// known; neither is changed.
//
// Of each bar before the ex-date
//
//   - a split divides the prices by its value and multiplies the volume by it;
//   - a dividend multiplies the prices by 1 - amount/close, the close being the last raw one
//     before the ex-date: the method of the CRSP, the Center for Research in Security Prices.
//     Its amount is in terms of the shares on the ex-date, so that the close is first divided
//     by splits of that day, and by those since the close. Dividends of one day are added up.
//
// An action after the newest bar does not apply yet. One that can't be true is left out: a
// split or an amount that is not positive, an amount that is not less than the close.
//
// Factors have 19 digits, and an adjusted value is rounded half to even to [AdjustedScale].
// Bars that no action concerns are returned as they are. A value that is too large for a
// [Decimal] is an error.
func (a Adjustment) Apply(bars []Bar, splits, dividends []Action) ([]Bar, error) {
	switch a {
	case Raw:
		splits, dividends = nil, nil
	case SplitOnly:
		dividends = nil
	case All:
	default:
		return nil, fmt.Errorf("%q is no adjustment", a)
	}
	if len(bars) == 0 {
		return nil, nil
	}
	days, err := exDates(splits, dividends)
	if err != nil {
		return nil, err
	}
	adjusted := slices.Clone(bars)
	days = upTo(days, DateOf(bars[len(bars)-1].Start))
	f := factor{decimal.One, decimal.One, decimal.One}
	for i, bar := range slices.Backward(bars) {
		day := DateOf(bar.Start)
		if earlier := upTo(days, day); len(earlier) < len(days) {
			if err := f.take(days[len(earlier):], bar.Close); err != nil {
				return nil, fmt.Errorf("actions after %s: %w", day, err)
			}
			days = earlier
		}
		if adjusted[i], err = f.adjust(bar); err != nil {
			return nil, fmt.Errorf("adjust %s: %w", day, err)
		}
	}
	return adjusted, nil
}

// exDate is all that happens on a day.
type exDate struct {
	day    Date
	split  Decimal // the product of its splits
	amount Decimal // the sum of its dividends
}

// exDates returns the days with actions that can be true, ascending.
func exDates(splits, dividends []Action) ([]exDate, error) {
	var all []exDate
	for _, s := range splits {
		if s.Value.IsPos() {
			all = append(all, exDate{s.Day, s.Value, decimal.Zero})
		}
	}
	for _, d := range dividends {
		if d.Value.IsPos() {
			all = append(all, exDate{d.Day, decimal.One, d.Value})
		}
	}
	slices.SortFunc(all, func(a, b exDate) int { return cmp.Compare(a.day, b.day) })
	var days []exDate
	for _, e := range all {
		if last := len(days) - 1; last >= 0 && days[last].day == e.day {
			if err := days[last].add(e); err != nil {
				return nil, fmt.Errorf("actions of %s: %w", e.day, err)
			}
			continue
		}
		days = append(days, e)
	}
	return days, nil
}

func (e *exDate) add(o exDate) (err error) {
	if e.split, err = e.split.Mul(o.split); err != nil {
		return err
	}
	e.amount, err = e.amount.Add(o.amount)
	return err
}

// upTo returns the part of days, which ascend, that is not after day.
func upTo(days []exDate, day Date) []exDate {
	for len(days) > 0 && days[len(days)-1].day > day {
		days = days[:len(days)-1]
	}
	return days
}

// factor is what the actions after a bar do to it.
type factor struct {
	dividends Decimal // of the dividends alone
	shares    Decimal // of the splits alone: multiplies the volume
	price     Decimal // of both: multiplies prices
}

// take adds days, ascending, before which the last close was at price.
func (f *factor) take(days []exDate, price Decimal) (err error) {
	for _, e := range days {
		if f.shares, err = f.shares.Mul(e.split); err != nil {
			return err
		}
		if price, err = price.Quo(e.split); err != nil {
			return err
		}
		if e.amount.IsZero() || !e.amount.Less(price) {
			continue
		}
		kept, err := decimal.One.SubQuo(e.amount, price)
		if err != nil {
			return err
		}
		if f.dividends, err = f.dividends.Mul(kept); err != nil {
			return err
		}
	}
	f.price, err = f.dividends.Quo(f.shares)
	return err
}

func (f *factor) adjust(b Bar) (_ Bar, err error) {
	if f.price.IsOne() && f.shares.IsOne() {
		return b, nil
	}
	for _, price := range []*Decimal{&b.Open, &b.High, &b.Low, &b.Close} {
		if *price, err = times(*price, f.price); err != nil {
			return b, err
		}
	}
	if b.Volume.Valid {
		b.Volume.Decimal, err = times(b.Volume.Decimal, f.shares)
	}
	return b, err
}

func times(value, factor Decimal) (Decimal, error) {
	p, err := value.Mul(factor)
	return p.Round(AdjustedScale).Trim(0), err
}
