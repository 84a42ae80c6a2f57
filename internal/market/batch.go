package market

import "time"

// Batch is what a payload says, parsed and checked, ready to be loaded.
type Batch struct {
	Payload     Payload
	Instruments []Instrument // that its series belong to
	Series      []Series
	Quarantine  []Quarantined
}

// Coverage is what a store has of a source's daily bars, from which the next
// requests are planned.
type Coverage struct {
	Days    []Date               // with at least one bar, ascending
	Latest  map[string]Bar       // the newest bar of each symbol
	Holes   []Date               // days with a value in quarantine that nothing has replaced
	Fetched map[string]time.Time // when each resource was last loaded
}

// Missing returns the days of the calendar without a bar, from the first day that
// has one up to and including the day to, ascending; with the holes among them.
func (c Coverage) Missing(calendar Calendar, to Date) []Date {
	if len(c.Days) == 0 {
		return nil
	}
	wanted := make(map[Date]bool, len(c.Holes))
	for _, day := range c.Holes {
		wanted[day] = day <= to
	}
	have := make(map[Date]bool, len(c.Days))
	for _, day := range c.Days {
		have[day] = true
	}
	var missing []Date
	for _, day := range calendar.Days(c.Days[0], to) {
		if !have[day] || wanted[day] {
			missing = append(missing, day)
		}
	}
	return missing
}
