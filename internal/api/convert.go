package api

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"bourse/internal/market"
)

// staleAfter is how old the newest rate before a date may be to stand for it. The
// longest run of TARGET closing days is four.
const staleAfter = 7 * 24 * time.Hour

// resultDigits is how many significant digits a converted amount and a cross rate
// have, where they are not exact with fewer. The rates have at most seven.
const resultDigits = 12

var currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)

type conversionJSON struct {
	From   string    `json:"from"`
	To     string    `json:"to"`
	Amount number    `json:"amount"`
	Date   string    `json:"date"`
	Rate   number    `json:"rate"`
	Result number    `json:"result"`
	Legs   []legJSON `json:"legs"`
}

type legJSON struct {
	Symbol string `json:"symbol"`
	Start  string `json:"start"`
	Close  number `json:"close"`
}

func (a *API) convert(r *http.Request) (*answer, error) {
	p := read(r, "from", "to", "amount", "date")
	from, to := p.currency("from"), p.currency("to")
	amount := p.amount()
	date := p.date("date")
	if p.err != nil {
		return nil, p.err
	}
	c := conversionJSON{From: from, To: to, Amount: number(amount), Legs: []legJSON{}}
	fromRate, err := a.leg(r.Context(), &c, "from", from, date)
	if err != nil {
		return nil, err
	}
	toRate, err := a.leg(r.Context(), &c, "to", to, date)
	if err != nil {
		return nil, err
	}
	if len(c.Legs) == 2 && c.Legs[0].Start != c.Legs[1].Start {
		return nil, noRate.of("date", "%s and %s have no rate of the same day.", from, to)
	}
	if err := c.compute(amount, fromRate, toRate); err != nil {
		return nil, err
	}
	switch {
	case len(c.Legs) > 0:
		c.Date = c.Legs[0].Start
	case date.IsZero():
		c.Date = market.DateOf(a.cfg.Now().UTC()).String()
	default:
		c.Date = market.Day.Format(date)
	}
	return &answer{value: c}, nil
}

// leg returns how many units of a currency one euro was worth, and notes where that
// stands.
func (a *API) leg(ctx context.Context, c *conversionJSON, parameter, currency string, date time.Time) (market.Decimal, error) {
	one := market.Decimal{}.One()
	if currency == "EUR" {
		return one, nil
	}
	i, err := a.euroRate(ctx, parameter, currency)
	if err == nil {
		err = callerOf(ctx).mayRead(i.Source, i.Licence)
	}
	if err != nil {
		return one, err
	}
	q := market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Descending: true, Limit: 1}
	if !date.IsZero() {
		q.To = date.AddDate(0, 0, 1)
	}
	bars, err := a.cfg.Store.Bars(ctx, q)
	if err != nil {
		return one, err
	}
	switch {
	case len(bars) == 0:
		return one, noRate.of("date", "%s has no rate on or before %s; its first is of %s.",
			currency, market.Day.Format(date), market.Day.Format(i.First))
	case date.IsZero() && i.Ended:
		return one, noRate.of(parameter, "%s ended on %s; give a date.", currency, market.Day.Format(i.Last))
	case !date.IsZero() && date.Sub(bars[0].Start) > staleAfter:
		return one, noRate.of("date", "%s has no rate for %s; the last before it is of %s.",
			currency, market.Day.Format(date), market.Day.Format(bars[0].Start))
	}
	c.Legs = append(c.Legs, legJSON{i.Symbol, market.Day.Format(bars[0].Start), number(bars[0].Close)})
	return bars[0].Close, nil
}

// euroRate finds the instrument that prices the euro in a currency. The stand-in has
// symbols of its own.
func (a *API) euroRate(ctx context.Context, parameter, currency string) (market.Instrument, error) {
	var found market.Instrument
	var err error
	for _, prefix := range []string{"EUR", "SIM-EUR"} {
		if found, err = a.cfg.Store.Instrument(ctx, prefix+currency); err == nil {
			break
		}
	}
	return found, orNotFound(err, unknownSymbol.of(parameter, "There is no rate of %s.", currency))
}

// compute fills in rate and result. The result comes from the amount, not from the
// rounded rate.
func (c *conversionJSON) compute(amount, from, to market.Decimal) error {
	rate, err := to.Quo(from)
	if err != nil {
		return noRate.of("", "The cross rate is out of range.")
	}
	result, err := amount.Mul(to)
	if err == nil {
		result, err = result.Quo(from)
	} else if result, err = amount.Quo(from); err == nil {
		// The product can be out of range where the result is not.
		result, err = result.Mul(to)
	}
	if err != nil {
		return badParameter.of("amount", "The result is out of range.")
	}
	if !from.IsOne() { // else nothing was divided, and both are exact
		rate, result = significant(rate), significant(result)
	}
	c.Rate, c.Result = number(rate.Trim(0)), number(result.Trim(0))
	return nil
}

// significant rounds to resultDigits significant digits, the whole part always kept.
func significant(d market.Decimal) market.Decimal {
	if excess := d.Prec() - resultDigits; excess > 0 {
		return d.Round(max(0, d.Scale()-excess))
	}
	return d
}

func (p *params) currency(name string) string {
	text := p.text(name)
	if !currencyPattern.MatchString(text) {
		p.fail(name, "%q is not a currency code like USD", clip(text))
	}
	return text
}

func (p *params) amount() market.Decimal {
	text := p.text("amount")
	if text == "" {
		return market.Decimal{}.One()
	}
	d, err := market.ParseDecimal(text)
	if err != nil || d.IsNeg() {
		p.fail("amount", "%q is not a decimal number like 12.50, not negative and of at most 19 digits", clip(text))
	}
	return d
}
