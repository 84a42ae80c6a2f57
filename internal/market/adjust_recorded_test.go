package market_test

import (
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"slices"
	"testing"

	"bourse/internal/market"
	"bourse/internal/replaytest"

	"github.com/govalues/decimal"
)

// tolerance is how far a close may be from the vendor's: 0.02 %.
const tolerance = 0.0002

// TestAdjustLikeLean adjusts recorded bars by the actions that Alpha Vantage lists and
// compares each close with Lean's, who keeps factors and no actions. Alpha Vantage's list
// for IBM begins in 1999: the dividends of 1998, which are in Lean's factors, are added.
func TestAdjustLikeLean(t *testing.T) {
	server := replaytest.Start(t, "-now", "2021-04-01T20:00:00Z", "-limits=false")
	for symbol, unlisted := range map[string]string{
		"aapl": "", "ibm": "1998-02-06 0.2 1998-05-06 0.22 1998-08-06 0.22 1998-11-06 0.22",
	} {
		t.Run(symbol, func(t *testing.T) {
			splits := vendorActions(t, server, "SPLITS", symbol, "effective_date", "split_factor")
			dividends := vendorActions(t, server, "DIVIDENDS", symbol, "ex_dividend_date", "amount")
			dividends = append(actions(t, unlisted), dividends...)
			raw, factors := leanBars(t, symbol), replaytest.Rows(t, "lean/equity/usa/factor_files/"+symbol+".csv")
			for adjustment, columns := range map[market.Adjustment][]int{market.SplitOnly: {2}, market.All: {1, 2}} {
				adjusted, err := adjustment.Apply(raw, splits, dividends)
				if err != nil {
					t.Fatal(err)
				}
				largest, at := furthest(t, adjusted, leanAdjusted(t, raw, factors, columns))
				t.Logf("%s: %d days, %d splits, %d dividends: off by at most %.5f %%, on %s",
					adjustment, len(raw), len(splits), len(dividends), 100*largest, at)
				if largest > tolerance {
					t.Errorf("%s: off by %.5f %% on %s", adjustment, 100*largest, at)
				}
			}
		})
	}
}

// leanAdjusted are closes as Lean adjusts them: the raw one times factors, which are in
// columns of the file; a row holds for the days up to and including its date.
func leanAdjusted(t *testing.T, raw []market.Bar, factors [][]string, columns []int) (list []*big.Rat) {
	t.Helper()
	row := 0
	for _, bar := range raw {
		for leanDay(t, "20060102", factors[row][0]) < market.DateOf(bar.Start) {
			row++
		}
		price := ratio(bar.Close, decimal.One)
		for _, c := range columns {
			price.Mul(price, ratio(decimal.MustParse(factors[row][c]), decimal.One))
		}
		list = append(list, price)
	}
	return list
}

// furthest returns the largest deviation of closes from those wanted, and its day.
func furthest(t *testing.T, got []market.Bar, want []*big.Rat) (largest float64, at market.Date) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d bars, want %d", len(got), len(want))
	}
	for i, bar := range got {
		if off := deviation(ratio(bar.Close, decimal.One), want[i]); off > largest {
			largest, at = off, market.DateOf(bar.Start)
		}
	}
	return largest, at
}

// TestSpinOff adjusts the weeks around IBM's spin-off of 2021-11-04, between two dividends,
// and compares with the vendor's own adjusted closes, all in terms of the last week.
func TestSpinOff(t *testing.T) {
	var splits []market.Action
	for _, row := range replaytest.Rows(t, "alphavantage/SPLITS_358e2618.csv")[1:] {
		splits = append(splits, market.Action{Day: day(t, row[0]), Value: decimal.MustParse(row[1])})
	}
	var raw []market.Bar
	var vendor []market.Decimal
	for _, row := range slices.Backward(replaytest.Rows(t, "alphavantage/TIME_SERIES_WEEKLY_ADJUSTED_9cd0a0b1.csv")[1:]) {
		if week := day(t, row[0]); week >= day(t, "2021-08-09") && week < day(t, "2021-11-09") {
			raw, vendor = append(raw, market.Fixing(week, decimal.MustParse(row[4]))), append(vendor, decimal.MustParse(row[5]))
		}
	}
	if len(raw) != 13 {
		t.Fatalf("there are %d weeks", len(raw))
	}
	adjusted, err := market.SplitOnly.Apply(raw, splits, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := raw[len(raw)-1].Close
	var want []*big.Rat
	for _, price := range vendor {
		of := ratio(price, vendor[len(vendor)-1])
		want = append(want, of.Mul(of, ratio(last, decimal.One)))
	}
	largest, at := furthest(t, adjusted, want)
	t.Logf("off by at most %.5f %%, in the week to %s", 100*largest, at)
	if largest > tolerance {
		t.Errorf("off by %.5f %%", 100*largest)
	}
}

// vendorActions asks the server for a list of actions.
func vendorActions(t *testing.T, server *replaytest.Server, function, symbol, on, value string) (list []market.Action) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		server.URL+"/query?apikey=x&function="+function+"&symbol="+symbol, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := new(http.Client).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Data []map[string]string }
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Data) == 0 {
		t.Fatalf("%s of %s: %v, %s", function, symbol, err, text)
	}
	for _, row := range answer.Data {
		list = append(list, market.Action{Day: day(t, row[on]), Value: decimal.MustParse(row[value])})
	}
	slices.Reverse(list)
	return list
}
