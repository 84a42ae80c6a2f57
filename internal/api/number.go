package api

import (
	"time"

	"bourse/internal/market"
)

// number is a decimal as a JSON number.
type number market.Decimal

// MarshalJSON writes the digits, never an exponent.
func (n number) MarshalJSON() ([]byte, error) { return []byte(market.Decimal(n).String()), nil }

// instantOf is a time for JSON, null where it is zero.
func instantOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// startOf is the start of a bar for JSON, null where it is zero.
func startOf(interval market.Interval, t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := interval.Format(t)
	return &text
}
