// Package alphavantagetest is an upstream with invented prices in the formats of Alpha
// Vantage, and with its quota.
package alphavantagetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"bourse/internal/market"
)

// Messages of the kinds of error, all of which come with status 200.
const (
	Throttled  = `{"Information": "Please consider spreading out your free API requests more sparingly (1 request per second) or lift the limit of 25 requests per day."}`
	UsedUp     = `{"Information": "We have detected your API key as %s and our standard API rate limit is 25 requests per day."}`
	Premium    = `{"Information": "The outputsize=full parameter value is a premium feature."}`
	BadKey     = `{"Error Message": "the parameter apikey is invalid or missing."}`
	BadSymbol  = `{"Error Message": "Invalid API call. Please retry."}`
	OldLimit   = `{"Note": "Our standard API call frequency is 5 calls per minute and 500 calls per day."}`
	Demo       = `{"Information": "The **demo** API key is for demo purposes only."}`
	SomethingX = `{"Information": "The office is closed."}`
)

// Action is a row of DIVIDENDS or SPLITS.
type Action struct{ Day, Value string }

// Upstream answers for any symbol. Its fields may be changed between requests.
type Upstream struct {
	Now    func() time.Time
	Key    string // the only one that it takes
	PerDay int    // zero: a premium plan
	// Dividends and Splits are the actions of each symbol.
	Dividends, Splits map[string][]Action

	mu     sync.Mutex
	asked  []string       // functions and symbols
	perDay map[string]int // by day in New York
}

// ServeHTTP answers /query.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.Now()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	q := r.URL.Query()
	function, symbol := q.Get("function"), q.Get("symbol")+q.Get("keywords")
	u.asked = append(u.asked, function+" "+symbol)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	today := market.DateOf(now.In(zone))
	if u.perDay == nil {
		u.perDay = map[string]int{}
	}
	u.perDay[today.String()]++
	switch {
	case q.Get("apikey") != u.Key:
		fmt.Fprint(w, BadKey)
	case u.PerDay > 0 && u.perDay[today.String()] > u.PerDay:
		fmt.Fprintf(w, UsedUp, u.Key)
	case function == "TIME_SERIES_DAILY" && q.Get("outputsize") == "full" && u.PerDay > 0:
		fmt.Fprint(w, Premium)
	case function == "TIME_SERIES_DAILY":
		fmt.Fprint(w, Daily(symbol, now.In(zone), q.Get("outputsize") == "full"))
	case function == "DIVIDENDS":
		fmt.Fprint(w, Actions(symbol, "ex_dividend_date", "amount", u.Dividends[symbol]))
	case function == "SPLITS":
		fmt.Fprint(w, Actions(symbol, "effective_date", "split_factor", u.Splits[symbol]))
	case function == "SYMBOL_SEARCH":
		fmt.Fprint(w, Match(symbol, symbol+" Corporation"))
	default:
		fmt.Fprint(w, BadSymbol)
	}
}

// Asked returns what was asked for since it was called last.
func (u *Upstream) Asked() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	return asked
}

// PerDayAsked returns how many requests came on each day in New York.
func (u *Upstream) PerDayAsked() map[string]int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.perDay
}

// Daily writes the bars of the sessions that have begun by a time in New York: 100 of
// them, or all since 2020.
func Daily(symbol string, now time.Time, full bool) string {
	newest := market.DateOf(now)
	if now.Hour()*60+now.Minute() < 9*60+30 {
		newest--
	}
	days := market.XNYS.Days(market.NewDate(2020, 1, 2), newest)
	if !full && len(days) > 100 {
		days = days[len(days)-100:]
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"Meta Data": {"1. Information": "Daily", "2. Symbol": %q, "5. Time Zone": "US/Eastern"}, "Time Series (Daily)": {`, symbol)
	for i := len(days) - 1; i >= 0; i-- {
		price := 100 + int(days[i])%40
		fmt.Fprintf(&b, `%q: {"1. open": "%d.5000", "2. high": "%d.2500", "3. low": "%d.0000", "4. close": "%d.7500", "5. volume": "%d"}`,
			days[i], price, price+1, price, price, 1000*price)
		if i > 0 {
			b.WriteString(", ")
		}
	}
	b.WriteString("}}")
	return b.String()
}

// Actions writes a list, newest first.
func Actions(symbol, day, value string, list []Action) string {
	rows := []map[string]string{}
	for _, a := range list {
		rows = append(rows, map[string]string{day: a.Day, value: a.Value})
	}
	text, err := json.Marshal(map[string]any{"symbol": symbol, "data": rows})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Match writes the answer to a search.
func Match(symbol, name string) string {
	text, err := json.Marshal(map[string]any{"bestMatches": []map[string]string{
		{"1. symbol": symbol + ".LON", "2. name": "Another", "4. region": "United Kingdom", "8. currency": "GBX"},
		{"1. symbol": symbol, "2. name": name, "3. type": "Equity", "4. region": "United States", "8. currency": "USD"},
	}})
	if err != nil {
		panic(err)
	}
	return string(text)
}
