// Package alphavantage reads US equities from Alpha Vantage: raw daily bars, dividends,
// splits, and the names of symbols.
//
// What a key may ask for in a day is the scarce resource: 25 requests on the free plan,
// each for one thing of one symbol. [Source.Next] therefore orders what is due by how
// long it has waited in relation to how often it is wanted, and the run ends where the
// quota does. Every error comes as JSON with status 200, so bodies are classified, see
// messages.go.
//
// Adjusted prices are not read: the vendor rewrites them with each dividend. They are
// derived from raw bars and actions, see [market.Adjustment].
//
// https://www.alphavantage.co/documentation/
package alphavantage

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"bourse/internal/market"
)

// URL is where Alpha Vantage answers.
const URL = "https://www.alphavantage.co"

// FreeRequests is how many requests a day the free plan has.
const FreeRequests = 25

// spacing is the least time between two requests. The free plan has one a second;
// requests do not arrive as evenly as they are sent.
const spacing = 1100 * time.Millisecond

// compactDays is how many calendar days back the 100 bars of a compact answer reach at
// least, with a margin for holidays.
const compactDays = 130

// What is asked for. A resource is named by it and a symbol: "daily/IBM".
const (
	daily     = "daily"
	dividends = "dividends"
	splits    = "splits"
	search    = "search"
)

// Source is the feed. The zero value is not usable; see [New].
type Source struct {
	base    string
	key     market.Secret
	symbols []string
	perDay  int
}

// New returns the feed of some symbols of US equities, such as "IBM". The key is asked
// for with each request. perDay is how many requests the plan has in a day; zero stands
// for a premium plan, which has no such bound and gives the whole history.
func New(base string, key market.Secret, symbols []string, perDay int) (*Source, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("the Alpha Vantage base URL is not an http or https URL")
	}
	if perDay < 0 {
		return nil, errors.New("the number of requests to Alpha Vantage is negative")
	}
	seen := map[string]bool{}
	for _, symbol := range symbols {
		if !market.SymbolPattern.MatchString(symbol) || seen[symbol] {
			return nil, fmt.Errorf("the Alpha Vantage symbols: %q is none, or there twice", symbol)
		}
		seen[symbol] = true
	}
	return &Source{strings.TrimRight(base, "/"), key, symbols, perDay}, nil
}

// Info describes the feed.
func (s *Source) Info() market.Source {
	return market.Source{
		Name:        "alphavantage",
		Title:       "Alpha Vantage US equities",
		Homepage:    "https://www.alphavantage.co/documentation/",
		Attribution: "Source: Alpha Vantage, for internal use. Adjusted prices and statistics are computed by bourse.",
		Licence:     market.Internal,
		Calendar:    market.XNYS,
		PublishAt:   18 * time.Hour, // two hours after the close, when the day's bar has settled
		Zone:        "America/New_York",
		Limits:      market.Limits{Every: spacing, PerDay: s.perDay},
	}
}

// actionsEvery is how often dividends and splits are wanted: once a week, less what the
// runs of two weeks can differ by. Bars are wanted after each session, names once.
const actionsEvery = (7*24 - 12) * time.Hour

// againAfter is the least time after which something is asked for again whose answer
// could not be loaded.
const againAfter = 90 * time.Minute

// What was never asked for ranks as if it had waited so often longer than wanted.
var neverAsked = map[string]float64{
	daily:     1e9, // a symbol without bars comes first
	dividends: 2,   // actions yield to bars that have waited for more than two days
	splits:    2,
	search:    0.5, // and names to both
}

// want is a resource that is due.
type want struct {
	what, symbol string
	// waited is how long it has waited since it was asked for, in terms of how often it
	// is wanted.
	waited float64
}

// Next returns all that is due, what has waited for longest first.
func (s *Source) Next(have market.Coverage, done []string, now time.Time) []market.Request {
	if len(done) > 0 {
		return nil
	}
	var due []want
	for _, what := range []string{daily, dividends, splits, search} {
		for _, symbol := range s.symbols {
			if waited := s.waited(have, what, symbol, now); waited > 0 {
				due = append(due, want{what, symbol, waited})
			}
		}
	}
	slices.SortStableFunc(due, func(a, b want) int { return -cmp.Compare(a.waited, b.waited) }) // of equals bars come first
	requests := make([]market.Request, len(due))
	for i, w := range due {
		latest := have.Latest[market.SeriesKey{Symbol: w.symbol, Interval: market.Day}]
		requests[i] = s.request(w.what, w.symbol, market.DateOf(latest.Start), now)
	}
	return requests
}

// waited returns for how long a resource has waited, zero where it is not due.
func (s *Source) waited(have market.Coverage, what, symbol string, now time.Time) float64 {
	resource := what + "/" + symbol
	asked, ever := have.Asked[resource]
	loaded, once := have.Fetched[resource]
	every := actionsEvery
	due := now.Sub(loaded) >= actionsEvery
	switch what {
	case daily:
		every = 24 * time.Hour
		due = loaded.Before(s.Info().Published(s.Info().Expected(now)))
	case search:
		due = !once
	}
	switch {
	case !ever:
		return neverAsked[what]
	case !due, loaded.Before(asked) && now.Sub(asked) < againAfter:
		return 0
	}
	return now.Sub(asked).Hours() / every.Hours()
}

// Span returns the requests for bars and actions of all symbols, of which there is only
// one choice: how far back the bars go is a matter of the plan.
func (s *Source) Span(from, _ market.Date, now time.Time) []market.Request {
	var requests []market.Request
	for _, what := range []string{daily, dividends, splits} {
		for _, symbol := range s.symbols {
			requests = append(requests, s.request(what, symbol, from, now))
		}
	}
	return requests
}

// request asks for something of a symbol, of which bars are wanted from a day on.
func (s *Source) request(what, symbol string, from market.Date, now time.Time) market.Request {
	query := url.Values{"symbol": {symbol}}
	var most int64 = 1 << 20
	switch what {
	case daily:
		query.Set("function", "TIME_SERIES_DAILY")
		query.Set("outputsize", "compact")
		if s.perDay == 0 && from < market.DateOf(now)-compactDays {
			query.Set("outputsize", "full")
			most = 16 << 20 // some 250 bytes a day
		}
	case dividends:
		query.Set("function", "DIVIDENDS")
	case splits:
		query.Set("function", "SPLITS")
	case search:
		query = url.Values{"function": {"SYMBOL_SEARCH"}, "keywords": {symbol}}
	}
	return market.Request{
		Resource: what + "/" + symbol, URL: s.base + "/query?" + query.Encode(), MaxBytes: most,
		Credential: market.Credential{Name: "apikey", Secret: s.key},
	}
}

// Parse reads an answer.
func (s *Source) Parse(p market.Payload, body []byte) (market.Batch, error) {
	what, symbol, ok := strings.Cut(p.Resource, "/")
	if !ok {
		return market.Batch{}, market.Drift("there is no resource %q", p.Resource)
	}
	top, err := open(body)
	if err != nil {
		return market.Batch{}, err
	}
	b := market.Batch{Instruments: []market.Instrument{s.instrument(symbol)}}
	switch what {
	case daily:
		err = readBars(&b, p, symbol, top)
	case dividends, splits:
		err = readActions(&b, what, symbol, top)
	case search:
		b.Instruments[0], err = s.readMatch(symbol, top)
	default:
		err = market.Drift("there is no resource %q", p.Resource)
	}
	if err != nil {
		return market.Batch{}, fmt.Errorf("%s: %w", p.Resource, err)
	}
	return b, nil
}

// instrument is what is known of a symbol by itself. The name comes by a search.
func (s *Source) instrument(symbol string) market.Instrument {
	info := s.Info()
	return market.Instrument{
		Symbol: symbol, Kind: market.Equity, Base: symbol, Quote: "USD",
		Source: info.Name, Calendar: info.Calendar, Licence: info.Licence,
	}
}
