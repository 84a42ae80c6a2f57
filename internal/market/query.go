package market

import "time"

// InstrumentQuery selects instruments, ascending by symbol.
type InstrumentQuery struct {
	Source string // empty: all
	Kind   Kind   // empty: all
	Text   string // part of a symbol or name, in any case; empty: all
	After  string // symbols greater than this
	Limit  int
}

// BarQuery selects bars of one instrument.
type BarQuery struct {
	Symbol     string
	Interval   Interval
	From, To   time.Time // inclusive and exclusive; zero: open
	AsOf       time.Time // what was known then; zero: now
	Descending bool
	Limit      int
}

// RecordQuery selects records of a source, newest first.
type RecordQuery struct {
	Source string // empty: all
	Before int64  // with an ID smaller than this; zero: from the newest
	Limit  int
}

// Change says that a payload changed bars.
type Change struct {
	Seq    int64 // ascending in the order of commits
	Source string
	Series []Series // of each changed one its newest changed bar
}
