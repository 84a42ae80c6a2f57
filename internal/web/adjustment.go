package web

import (
	"encoding/json"

	"bourse/internal/market"
)

// adjustment is a way to show the prices of a share.
type adjustment struct {
	Name        market.Adjustment
	Label, Says string
}

// adjustments begin with the one that is shown where none is asked for: a chart of raw
// prices jumps at each split.
var adjustments = []adjustment{
	{market.SplitOnly, "Splits", "Prices are adjusted for splits: older ones are divided as the shares have been since."},
	{market.All, "Splits and dividends", "Prices are adjusted for splits and dividends: the chart shows what a holder has gained who put the dividends back in."},
	{market.Raw, "As traded", "Prices are as they were traded: they jump where shares have been split."},
}

// adjustmentsOf returns the adjustments that there are of daily bars of a kind of
// instrument.
func adjustmentsOf(kind string, i interval) []adjustment {
	if kind == string(market.Equity) && i.Name == market.Day {
		return adjustments
	}
	return nil
}

// adjustedPlaces is how many decimals of adjusted prices the page shows. They come of a
// division; CSV and NDJSON have all that the API gives.
const adjustedPlaces = 4

func roundAdjusted(prices ...*json.Number) {
	for _, price := range prices {
		if d, err := market.ParseDecimal(string(*price)); err == nil {
			*price = json.Number(d.Round(adjustedPlaces).Trim(2).String())
		}
	}
}
