package web

import "encoding/json"

// The answers of the API, as far as the pages show them. Numbers that are prices are
// [json.Number]: their text is what is shown. Null is the empty string.

type instrument struct {
	Symbol, Name, Kind, Base, Quote, Source, Licence string

	First, Last string
	Ended       bool
}

type instrumentsAnswer struct {
	Instruments []instrument
}

type quote struct {
	Symbol, Name, Kind, Base, Quote, Source string

	Start           string
	Close, Previous json.Number
	Change          json.Number
	ChangePercent   json.Number `json:"change_percent"`
	Ended           bool
	History         []json.Number
}

type quotesAnswer struct {
	Quotes []quote
}

type bar struct {
	Start                          string
	Open, High, Low, Close, Volume json.Number
	Provisional                    bool
}

type barsAnswer struct {
	Bars []bar
	Next string
}

type point struct {
	Start string
	Close json.Number
}

type statsAnswer struct {
	Count                 int
	First, Last, Min, Max point
	Mean                  json.Number
	ChangePercent         json.Number `json:"change_percent"`
	Volatility            json.Number
}

type conversion struct {
	From, To, Date       string
	Amount, Rate, Result json.Number
	Legs                 []leg
}

type leg struct {
	Symbol, Start string
	Close         json.Number
}

type lineageAnswer struct {
	Symbol, Interval, Start string
	Versions                []version
}

type version struct {
	bar
	KnownAt string `json:"known_at"`
	Current bool
	Run     int64
	Payload payload
}

type payload struct {
	SHA256, URL, Href string

	Status     int
	ReceivedAt string `json:"received_at"`
	Size       int64
}

type run struct {
	ID                                 int64
	Source, Trigger                    string
	StartedAt                          string `json:"started_at"`
	FinishedAt                         string `json:"finished_at"`
	Outcome, Error                     string
	RetryAt                            string `json:"retry_at"`
	Bars, Inserted, Revised, Unchanged int
	Rejected, Flagged                  int
}

type runsAnswer struct {
	Runs []run
	Next string
}

type suspect struct {
	Source, Symbol, Interval, Start, Raw, Reason string

	Loaded  bool
	Run     int64
	Payload string
	FoundAt string `json:"found_at"`
}

type quarantineAnswer struct {
	Quarantine []suspect
	Next       string
}

type source struct {
	Name, Title, Homepage, Attribution, Licence, Publishes string

	NextRun          string `json:"next_run"`
	Newest, Expected string
	Behind           int

	Instruments, Ended, Bars     int
	Revisions, Rejected, Flagged int
	LastRun                      *run `json:"last_run"`
	LastOK                       *run `json:"last_ok"`
}

type sourcesAnswer struct {
	Sources []source
}

// problem is an error of the API: RFC 9457 problem details.
type problem struct {
	Type, Title, Detail, Parameter string

	Status     int
	RetryAfter string `json:"-"` // the header
}

// invalidKey is the type of the problem of a key that is wrong or revoked.
const invalidKey = "urn:bourse:problem:invalid-key"

func (p *problem) is(kind string) bool { return p.Type == kind }

func (p *problem) Error() string { return p.Title + ": " + p.Detail }
