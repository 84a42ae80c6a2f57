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

// dateOf is the date of a daily bar for JSON, null where it is zero.
func dateOf(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := market.Day.Format(t)
	return &text
}
