package api

import (
	"math"
	"net/http"

	"bourse/internal/market"
)

// sessionsPerYear scales the volatility of daily values to a year, as is usual.
const sessionsPerYear = 252

type statsJSON struct {
	Symbol        string            `json:"symbol"`
	Interval      market.Interval   `json:"interval"`
	Adjustment    market.Adjustment `json:"adjustment"`
	Count         int               `json:"count"`
	First         *pointJSON        `json:"first"`
	Last          *pointJSON        `json:"last"`
	Min           *pointJSON        `json:"min"`
	Max           *pointJSON        `json:"max"`
	Mean          *float64          `json:"mean"`
	ChangePercent *float64          `json:"change_percent"`
	Volatility    *float64          `json:"volatility"` // annualised, percent
}

type pointJSON struct {
	Start string `json:"start"`
	Close number `json:"close"`
}

func (a *API) stats(r *http.Request) (*answer, error) {
	p := read(r, "from", "to", "interval", "adjustment")
	interval := p.interval()
	adjustment := p.adjustment(interval)
	from, to := p.span(interval)
	if p.err != nil {
		return nil, p.err
	}
	i, err := a.readable(r)
	if err != nil {
		return nil, err
	}
	q := market.BarQuery{Symbol: i.Symbol, Interval: interval, From: from, To: to, Limit: maxBars + 1}
	bars, err := a.adjusted(r.Context(), q, adjustment)
	if err != nil {
		return nil, err
	}
	if len(bars) > maxBars {
		return nil, badParameter.of("from", "there are more than %d bars between from and to", maxBars)
	}
	life, err := a.barsLifetime(r.Context(), i, q, adjustment)
	return &answer{value: summarise(i.Symbol, interval, adjustment, bars), lifetime: life, lasting: true}, err
}

func summarise(symbol string, interval market.Interval, by market.Adjustment, bars []market.Bar) statsJSON {
	s := statsJSON{Symbol: symbol, Interval: interval, Adjustment: by, Count: len(bars)}
	if len(bars) == 0 {
		return s
	}
	point := func(b market.Bar) *pointJSON { return &pointJSON{interval.Format(b.Start), number(b.Close)} }
	least, most, sum := bars[0], bars[0], 0.0
	for _, b := range bars {
		if b.Close.Less(least.Close) {
			least = b
		}
		if most.Close.Less(b.Close) {
			most = b
		}
		sum += float(b.Close)
	}
	first, last := bars[0], bars[len(bars)-1]
	s.First, s.Last, s.Min, s.Max = point(first), point(last), point(least), point(most)
	s.Mean = rounded(sum / float64(len(bars)))
	s.ChangePercent = rounded(100 * (float(last.Close)/float(first.Close) - 1))
	if interval == market.Day && len(bars) > 2 {
		s.Volatility = rounded(100 * volatility(bars))
	}
	return s
}

// volatility is the standard deviation of the logarithmic returns, annualised.
func volatility(bars []market.Bar) float64 {
	n := float64(len(bars) - 1)
	var sum, squares float64
	for i := 1; i < len(bars); i++ {
		x := math.Log(float(bars[i].Close) / float(bars[i-1].Close))
		sum += x
		squares += x * x
	}
	return math.Sqrt(max(0, (squares-sum*sum/n)/(n-1)) * sessionsPerYear)
}

// rounded keeps six significant digits of a statistic, which is more than it is worth.
func rounded(x float64) *float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		zero := 0.0
		return &zero
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(x))))
	x = math.Round(x*scale) / scale
	return &x
}
