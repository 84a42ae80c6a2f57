package market

import "time"

// Batch is what a payload says, parsed and checked, ready to be loaded.
type Batch struct {
	Payload     Payload
	Instruments []Instrument // that its series belong to
	Series      []Series
	Actions     []ActionList
	Quarantine  []Quarantined
}

// Coverage is what a store has of a source, from which the next requests are planned.
// A joint source has its days under the empty symbol.
type Coverage struct {
	Days    map[string][]Date         // by symbol: those with a daily bar, ascending
	Holes   map[SeriesKey][]time.Time // starts of values in quarantine that nothing has replaced, ascending
	Latest  map[SeriesKey]Bar         // the newest bar of each series
	Fetched map[string]time.Time      // when each resource was last loaded
	Asked   map[string]time.Time      // when each resource last gave an answer, loaded or not
}

// Missing returns the days of the calendar without a bar of a symbol, from the first
// day that has one up to and including the day to, ascending; with the holes among them.
func (c Coverage) Missing(symbol string, calendar Calendar, to Date) []Date {
	days := c.Days[symbol]
	if len(days) == 0 {
		return nil
	}
	holes := c.Holes[SeriesKey{symbol, Day}]
	wanted := make(map[Date]bool, len(holes))
	for _, start := range holes {
		wanted[DateOf(start)] = DateOf(start) <= to
	}
	have := make(map[Date]bool, len(days))
	for _, day := range days {
		have[day] = true
	}
	var missing []Date
	for _, day := range calendar.Days(days[0], to) {
		if !have[day] || wanted[day] {
			missing = append(missing, day)
		}
	}
	return missing
}
