package market

import (
	"regexp"
	"time"
)

// Kind is what an instrument is.
type Kind string

// The kinds of instrument.
const (
	FX     Kind = "fx"
	Crypto Kind = "crypto"
	Equity Kind = "equity"
)

// Licence says who may see a series.
type Licence string

// The licences of series.
const (
	Public   Licence = "public"   // anyone
	Internal Licence = "internal" // holders of an API key that may read it
)

// Interval is the length of a bar.
type Interval string

// The intervals of bars.
const (
	Day    Interval = "1d"
	Hour   Interval = "1h"
	Minute Interval = "1m"
)

// Valid reports whether i is an interval that bourse knows.
func (i Interval) Valid() bool { return i == Day || i == Hour || i == Minute }

// Format writes the start of a bar: a date for [Day], else an RFC 3339 instant in UTC.
func (i Interval) Format(start time.Time) string {
	if i == Day {
		return start.UTC().Format(time.DateOnly)
	}
	return start.UTC().Format(time.RFC3339)
}

// Instrument is something with a price: EURUSD, BTC-USD, AAPL.
type Instrument struct {
	Symbol   string
	Name     string
	Kind     Kind
	Base     string // what is priced: EUR in EURUSD; the symbol itself for an equity
	Quote    string // the currency of its prices: USD in EURUSD
	Source   string // its one source
	Calendar Calendar
	Licence  Licence

	// First and Last are the starts of its oldest and newest daily bar; zero
	// when it has none.
	First, Last time.Time
	// Ended is set where the source has stopped publishing the series: a currency
	// that joined the euro, a delisted share. Last is then its final day.
	Ended bool
}

// EndedAfter is how long a series must be silent while its source goes on before
// it counts as ended. The longest run of TARGET closing days is four.
const EndedAfter = 14 * 24 * time.Hour

// SymbolPattern is the form of every symbol.
var SymbolPattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9.\-]{0,19}$`)
