// Package ecb reads the euro foreign exchange reference rates of the European
// Central Bank: one price a day for each currency, in units of it for one euro.
//
// The bank publishes three files that say the same over different spans: the newest
// day, 90 days, and everything since 1999-01-04. A run asks for the newest day and
// then for the shortest file that holds all that is missing, at least the 90 days,
// because a value there may have been corrected.
//
// https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
package ecb

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"bourse/internal/market"
)

// The files, which are also the names of the resources.
const (
	dailyFile   = "eurofxref-daily.xml"
	windowFile  = "eurofxref-hist-90d.xml"
	historyFile = "eurofxref-hist.zip"
)

// URL is where the bank publishes the files.
const URL = "https://www.ecb.europa.eu/stats/eurofxref"

// windowDays is how many calendar days the window file goes back.
const windowDays = 90

// historyEvery is the least time between two requests for the whole history. A hole
// that the bank's own file has would else be asked for in every run.
const historyEvery = 24 * time.Hour

// Source is the feed. The zero value is not usable; see [New].
type Source struct{ base string }

// New returns the feed under a base URL such as
// https://www.ecb.europa.eu/stats/eurofxref.
func New(base string) (*Source, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("the ECB base URL is not an http or https URL")
	}
	return &Source{base: strings.TrimRight(base, "/")}, nil
}

// Info describes the feed.
func (s *Source) Info() market.Source {
	return market.Source{
		Name:        "ecb",
		Title:       "ECB euro foreign exchange reference rates",
		Homepage:    "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html",
		Attribution: "Source: European Central Bank. Cross rates and statistics are computed by bourse. For information only.",
		Licence:     market.Public,
		Calendar:    market.TARGET,
		PublishAt:   16 * time.Hour,
		Zone:        "Europe/Berlin",
		Joint:       true,
	}
}

// Next returns the next request of a run that has asked for the resources in done.
func (s *Source) Next(have market.Coverage, done []string, now time.Time) []market.Request {
	switch {
	case len(done) == 0:
		return []market.Request{s.daily()}
	case len(done) > 1:
		return nil
	case s.needsHistory(have, now):
		return []market.Request{s.history()}
	}
	return []market.Request{s.window()}
}

// Span returns the request for the shortest file that reaches back to a day. All of
// them end with the newest day. The last day of the window is not counted on, as in
// [Source.Next].
func (s *Source) Span(from, _ market.Date, now time.Time) []market.Request {
	info := s.Info()
	switch {
	case from >= info.Expected(now):
		return []market.Request{s.daily()}
	case from > market.DateOf(now.In(info.Location()))-windowDays:
		return []market.Request{s.window()}
	}
	return []market.Request{s.history()}
}

func (s *Source) daily() market.Request   { return s.request(dailyFile, 1<<20) }
func (s *Source) window() market.Request  { return s.request(windowFile, 8<<20) }
func (s *Source) history() market.Request { return s.request(historyFile, 16<<20) }

func (s *Source) request(file string, most int64) market.Request {
	return market.Request{Resource: file, URL: s.base + "/" + file, MaxBytes: most}
}

// needsHistory reports whether days are missing that the window file does not reach.
func (s *Source) needsHistory(have market.Coverage, now time.Time) bool {
	fetched, ok := have.Fetched[historyFile]
	days := have.Days[""]
	if !ok || len(days) == 0 {
		return true
	}
	newest := days[len(days)-1]
	missing := have.Missing("", market.TARGET, newest)
	return len(missing) > 0 && missing[0] <= newest-windowDays && now.Sub(fetched) >= historyEvery
}

// Parse reads one of the files.
func (s *Source) Parse(p market.Payload, body []byte) (market.Batch, error) {
	t := newTable()
	var err error
	if p.Resource == historyFile {
		err = t.readHistory(body)
	} else {
		err = t.readXML(body)
	}
	if err != nil {
		return market.Batch{}, fmt.Errorf("%s: %w", p.Resource, err)
	}
	return t.batch(s.Info())
}
