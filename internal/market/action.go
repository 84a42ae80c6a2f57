package market

import (
	"encoding/json"
	"time"
)

// ActionKind is what a corporate action does.
type ActionKind string

// The kinds of corporate action.
const (
	// Dividend pays cash: the value is the amount for one share, in the currency of the
	// instrument and in terms of the shares of that day.
	Dividend ActionKind = "dividend"
	// Split divides shares: the value is how many there are after it for one before.
	// Spin-offs come as splits too: IBM's of 2021-11-04 is one of 1.046.
	Split ActionKind = "split"
)

// Action is a corporate action of an instrument.
type Action struct {
	Day   Date // the first day that trades without what it gives: the ex-date
	Value Decimal
}

// MarshalJSON writes an action as a pair of texts, ["2026-02-10","1.68"], so that no reader
// takes its value for a binary fraction.
func (a Action) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]string{a.Day.String(), a.Value.Trim(0).String()})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Action) UnmarshalJSON(text []byte) error {
	var pair [2]string
	err := json.Unmarshal(text, &pair)
	if err == nil {
		a.Day, err = ParseDate(pair[0])
	}
	if err == nil {
		a.Value, err = ParseDecimal(pair[1])
	}
	return err
}

// ActionList is all actions of a kind that a source knows of an instrument, ascending
// by day. Sources give whole lists, so what is no longer in one has been withdrawn.
type ActionList struct {
	Symbol  string
	Kind    ActionKind
	Actions []Action
}

// KnownActions is a list with where it came from.
type KnownActions struct {
	ActionList
	KnownAt time.Time // when its payload was received
	SHA256  string    // of its payload
}

// Change counts what the list changes against the one that was known before.
func (l ActionList) Change(before []Action) Counts {
	old := make(map[Date]Decimal, len(before))
	for _, a := range before {
		old[a.Day] = a.Value
	}
	c := Counts{Bars: len(l.Actions)}
	for _, a := range l.Actions {
		value, known := old[a.Day]
		switch {
		case !known:
			c.Inserted++
		case value.Equal(a.Value):
			c.Unchanged++
		default:
			c.Revised++
		}
		delete(old, a.Day)
	}
	c.Revised += len(old) // withdrawn
	return c
}
