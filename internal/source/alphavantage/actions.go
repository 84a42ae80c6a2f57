package alphavantage

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"

	"bourse/internal/market"
)

var (
	errValue   = errors.New("an action needs a value above zero")
	errAdded   = errors.New("a second dividend on one day, added to the first")
	errSameDay = errors.New("two different actions on one day")
)

// readActions reads DIVIDENDS or SPLITS: the whole list that the source knows.
func readActions(b *market.Batch, what, symbol string, top object) error {
	kind, dayName, valueName := market.Dividend, "ex_dividend_date", "amount"
	if what == splits {
		kind, dayName, valueName = market.Split, "effective_date", "split_factor"
	}
	var of string
	var data []map[string]string
	if json.Unmarshal(top["symbol"], &of) != nil || of != symbol {
		return market.Drift("the list is of %q", clip(of))
	}
	if err := json.Unmarshal(top["data"], &data); err != nil || data == nil {
		return market.Drift("no list of texts")
	}
	list := market.ActionList{Symbol: symbol, Kind: kind, Actions: []market.Action{}}
	for _, r := range data {
		day, err := market.ParseDate(r[dayName])
		if err != nil {
			return market.Drift("%s is %q", dayName, clip(r[dayName]))
		}
		value, err := market.ParseDecimal(r[valueName])
		if err == nil && !value.IsPos() {
			err = errValue
		}
		if err != nil {
			hold(b, symbol, day, r[valueName], err, false)
			continue
		}
		list.Actions = append(list.Actions, market.Action{Day: day, Value: value})
	}
	if 2*len(b.Quarantine) > len(data) {
		return market.Drift("%d of %d actions cannot be read", len(b.Quarantine), len(data))
	}
	slices.SortStableFunc(list.Actions, func(a, b market.Action) int { return cmp.Compare(a.Day, b.Day) })
	list.Actions = oneADay(b, list)
	b.Actions = []market.ActionList{list}
	return nil
}

// oneADay leaves one action for each day. Dividends of one day, a regular and a special
// one, are added up and marked for review; of two splits neither can be believed.
func oneADay(b *market.Batch, list market.ActionList) []market.Action {
	out := []market.Action{}
	for i := 0; i < len(list.Actions); {
		sum, n, believed := list.Actions[i], i+1, true
		for ; n < len(list.Actions) && list.Actions[n].Day == sum.Day; n++ {
			next := list.Actions[n]
			if next.Value.Equal(list.Actions[i].Value) { // said twice
				continue
			}
			total, err := sum.Value.Add(next.Value)
			if list.Kind == market.Dividend && err == nil {
				sum.Value = total
				hold(b, list.Symbol, sum.Day, next.Value.String(), errAdded, true)
				continue
			}
			hold(b, list.Symbol, sum.Day, sum.Value.String()+" and "+next.Value.String(), errSameDay, false)
			believed = false
		}
		if believed {
			out = append(out, sum)
		}
		i = n
	}
	return out
}

func hold(b *market.Batch, symbol string, day market.Date, raw string, reason error, loaded bool) {
	b.Quarantine = append(b.Quarantine, market.Quarantined{
		Symbol: symbol, Interval: market.Day, Start: day.Time(), Raw: clip(raw), Reason: reason.Error(), Loaded: loaded,
	})
}

// readMatch finds a symbol in the answer to a search. Matches are of all the world; the
// calendar and the currency here are those of the United States.
func (s *Source) readMatch(symbol string, top object) (market.Instrument, error) {
	var matches []map[string]string
	if err := json.Unmarshal(top["bestMatches"], &matches); err != nil || matches == nil {
		return market.Instrument{}, market.Drift("no list of matches")
	}
	for _, m := range matches {
		if m["1. symbol"] != symbol {
			continue
		}
		if m["4. region"] != "United States" || m["8. currency"] != "USD" {
			return market.Instrument{}, &market.Failure{Outcome: market.Permanent, Alone: true, Reason: symbol + " is not listed in the United States in dollars"}
		}
		i := s.instrument(symbol)
		i.Name = m["2. name"]
		return i, nil
	}
	return market.Instrument{}, &market.Failure{Outcome: market.Permanent, Alone: true, Reason: "the source does not find " + symbol}
}
