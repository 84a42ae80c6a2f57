package market

import (
	"errors"
	"time"

	"github.com/govalues/decimal"
)

// Bar is the prices of one instrument in one interval. A fixing, such as an ECB
// reference rate, is a bar whose four prices are equal.
type Bar struct {
	Start                  time.Time // UTC; midnight of its date for daily bars
	Open, High, Low, Close Decimal
	Volume                 decimal.NullDecimal // none for fixings
	Provisional            bool                // its session has not closed yet
}

// Fixing returns the bar of a single price.
func Fixing(day Date, price Decimal) Bar {
	return Bar{Start: day.Time(), Open: price, High: price, Low: price, Close: price}
}

// Same reports whether two bars say the same, whatever their start.
func (b Bar) Same(o Bar) bool {
	return b.Open.Equal(o.Open) && b.High.Equal(o.High) && b.Low.Equal(o.Low) && b.Close.Equal(o.Close) &&
		b.Volume.Valid == o.Volume.Valid && (!b.Volume.Valid || b.Volume.Decimal.Equal(o.Volume.Decimal)) &&
		b.Provisional == o.Provisional
}

// FutureTolerance is how far ahead of the clock a bar may start: time zones and a
// clock that is off, no more.
const FutureTolerance = 48 * time.Hour

// Reasons for which a bar is refused.
var (
	ErrFuture      = errors.New("dated in the future")
	ErrNotPositive = errors.New("price is not positive")
	ErrHighLow     = errors.New("high and low do not enclose open and close")
	ErrVolume      = errors.New("volume is negative")
)

// Check reports why the bar cannot be true at the time now, or nil.
func (b Bar) Check(now time.Time) error {
	switch {
	case b.Start.After(now.Add(FutureTolerance)):
		return ErrFuture
	case !b.Open.IsPos() || !b.High.IsPos() || !b.Low.IsPos() || !b.Close.IsPos():
		return ErrNotPositive
	case b.High.Less(b.Low) || b.High.Less(b.Open) || b.High.Less(b.Close) ||
		b.Open.Less(b.Low) || b.Close.Less(b.Low):
		return ErrHighLow
	case b.Volume.Valid && b.Volume.Decimal.IsNeg():
		return ErrVolume
	}
	return nil
}

// Series is bars of one instrument and interval, ascending by start.
type Series struct {
	Symbol   string
	Interval Interval
	Bars     []Bar
}

// SeriesKey names a series.
type SeriesKey struct {
	Symbol   string
	Interval Interval
}

// Key returns the name of the series.
func (s Series) Key() SeriesKey { return SeriesKey{s.Symbol, s.Interval} }

// Version is one value that a bar has had, with where it came from.
type Version struct {
	Bar
	KnownAt time.Time // when its payload was received
	Payload Payload
	Current bool
}
