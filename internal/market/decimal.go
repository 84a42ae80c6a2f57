package market

import (
	"errors"
	"strings"

	"github.com/govalues/decimal"
)

// Decimal is an exact decimal number of at most 19 digits.
type Decimal = decimal.Decimal

// ErrDecimal reports text that is not a plain decimal number which [Decimal] holds exactly.
var ErrDecimal = errors.New("not a plain decimal number of at most 19 digits")

// ParseDecimal reads an optional sign, digits and an optional fraction: "1.1684",
// "-3", "366.90". Trailing zeros of the fraction are dropped, so equal numbers have
// equal text. What cannot be held exactly is refused, never rounded.
func ParseDecimal(text string) (Decimal, error) {
	digits := strings.TrimPrefix(text, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || point && frac == "" || !onlyDigits(whole) || !onlyDigits(frac) {
		return Decimal{}, ErrDecimal
	}
	frac = strings.TrimRight(frac, "0")
	if len(strings.TrimLeft(whole+frac, "0")) > decimal.MaxPrec || len(frac) > decimal.MaxScale {
		return Decimal{}, ErrDecimal
	}
	d, err := decimal.Parse(text)
	if err != nil {
		return Decimal{}, ErrDecimal
	}
	return d.Trim(0), nil
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
