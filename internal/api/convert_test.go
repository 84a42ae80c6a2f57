package api_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"bourse/internal/market"
)

type conversion struct {
	Amount, Rate, Result json.Number
	Date                 string
}

// TestConvertFromEuroIsExact multiplies the same numbers with another arithmetic. The
// rates have at most seven digits and the amounts five, so nothing is rounded.
func TestConvertFromEuroIsExact(t *testing.T) {
	f := newFixture(t)
	for _, currency := range []string{"USD", "JPY", "GBP", "CHF", "ISK"} {
		rate := rational(t, f.upstream.Rate(currency, lastDay))
		for _, amount := range []string{"1", "0", "100", "0.01", "123.45", "99999", "3", "0.000001"} {
			var c conversion
			f.read(t, fmt.Sprintf("/api/v1/convert?from=EUR&to=%s&amount=%s", currency, amount), &c)
			if want := new(big.Rat).Mul(rational(t, amount), rate); rational(t, string(c.Result)).Cmp(want) != 0 {
				t.Errorf("%s EUR in %s: %s, want %s", amount, currency, c.Result, want.FloatString(10))
			}
			if rational(t, string(c.Rate)).Cmp(rate) != 0 || rational(t, string(c.Amount)).Cmp(rational(t, amount)) != 0 {
				t.Errorf("%s EUR in %s: rate %s, amount %s", amount, currency, c.Rate, c.Amount)
			}
			if strings.ContainsAny(string(c.Result+c.Rate+c.Amount), "eE") {
				t.Errorf("%s EUR in %s: a number has an exponent: %+v", amount, currency, c)
			}
		}
	}
}

// TestCrossRates have twelve significant digits, rounded once from the exact value.
func TestCrossRates(t *testing.T) {
	f := newFixture(t)
	day := market.NewDate(2024, 6, 12) // HRK has not ended yet
	currencies := []string{"EUR", "USD", "JPY", "GBP", "CHF", "ISK", "HRK"}
	perEuro := map[string]*big.Rat{"EUR": big.NewRat(1, 1)}
	for _, currency := range currencies[1:] {
		perEuro[currency] = rational(t, f.upstream.Rate(currency, day))
	}
	for _, from := range currencies {
		for _, to := range currencies {
			for _, amount := range []string{"1", "0.03", "1234.56", "98765432.1"} {
				var c conversion
				f.read(t, fmt.Sprintf("/api/v1/convert?from=%s&to=%s&amount=%s&date=%s", from, to, amount, day), &c)
				rate := new(big.Rat).Quo(perEuro[to], perEuro[from])
				result := new(big.Rat).Mul(rational(t, amount), rate)
				twelveDigits(t, fmt.Sprintf("rate of %s in %s", from, to), c.Rate, rate)
				twelveDigits(t, fmt.Sprintf("%s %s in %s", amount, from, to), c.Result, result)
			}
		}
	}
}

// twelveDigits checks that got is want to within half a unit of the twelfth
// significant digit.
func twelveDigits(t *testing.T, what string, got json.Number, want *big.Rat) {
	t.Helper()
	difference := new(big.Rat).Sub(rational(t, string(got)), want)
	unit := new(big.Rat).SetFrac64(1, 2)
	magnitude := new(big.Rat).Set(want)
	one, ten := big.NewRat(1, 1), big.NewRat(10, 1)
	for magnitude.Cmp(ten) >= 0 {
		magnitude.Quo(magnitude, ten)
		unit.Mul(unit, ten)
	}
	for magnitude.Cmp(one) < 0 {
		magnitude.Mul(magnitude, ten)
		unit.Quo(unit, ten)
	}
	unit.Quo(unit, big.NewRat(100_000_000_000, 1))
	if difference.Abs(difference).Cmp(unit) > 0 {
		t.Errorf("%s: %s, want %s", what, got, want.FloatString(20))
	}
}

// TestLargeAmounts either are converted to twelve digits or refused.
func TestLargeAmounts(t *testing.T) {
	f := newFixture(t)
	var c conversion
	f.read(t, "/api/v1/convert?from=EUR&to=EUR&amount=1234567890123456789", &c)
	if c.Result != "1234567890123456789" {
		t.Errorf("the whole part of a large amount became %s", c.Result)
	}
	// The amount times the one rate is out of range, the result is not.
	f.read(t, "/api/v1/convert?from=ISK&to=JPY&amount=900000000000000000", &c)
	want := new(big.Rat).Quo(rational(t, f.upstream.Rate("JPY", lastDay)), rational(t, f.upstream.Rate("ISK", lastDay)))
	twelveDigits(t, "a large amount", c.Result, want.Mul(want, rational(t, "900000000000000000")))
	if w := f.get("/api/v1/convert?from=EUR&to=JPY&amount=9999999999999999999"); w.Code != http.StatusBadRequest {
		t.Errorf("a result out of range: %d %s", w.Code, w.Body)
	}
}

func rational(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}
