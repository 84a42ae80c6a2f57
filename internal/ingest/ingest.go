// Package ingest brings sources up to date: fetch, archive, classify, parse,
// validate, load.
//
// Each step can fail or be killed without loss. The bytes are archived before they
// are read; a payload is loaded in one transaction; the next run plans from what the
// store has, so it fills what an earlier one left out. [Ingester.Replay] goes through
// the same steps from the archive.
package ingest

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"bourse/internal/market"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Source is an upstream.
type Source interface {
	Info() market.Source
	// Next returns the next requests of a run, the most urgent first, given what the
	// store has now and the resources that the run has asked for so far; none when there
	// is nothing to ask. Where the answer to one decides what to ask next, it is returned
	// on its own.
	Next(have market.Coverage, done []string, now time.Time) []market.Request
	// Span returns the requests whose answers together hold all that the source has
	// from one day to another, both included, whatever the store has. They may hold
	// more. There are none where there is no upstream.
	Span(from, to market.Date, now time.Time) []market.Request
	// Parse reads the body of a payload. It fills Instruments, Series (ascending by
	// start), Actions and, for values it can't read, Quarantine. Errors are [market.Failure]s: what does
	// not parse is an error, never an empty batch. It must not panic on any input.
	Parse(p market.Payload, body []byte) (market.Batch, error)
}

// Store is what ingest writes to. All methods are safe for concurrent use; a method
// that returns an error has changed nothing.
type Store interface {
	// Lock makes the caller the only writer of a source until release or until its
	// process dies. It does not wait: [market.ErrLocked].
	Lock(ctx context.Context, source string) (release func(), err error)
	// StartRun records a run, and ends earlier unfinished ones as interrupted.
	StartRun(ctx context.Context, source market.Source, trigger string, at time.Time) (id int64, err error)
	FinishRun(ctx context.Context, run market.Run, next time.Time) error
	Coverage(ctx context.Context, source market.Source) (market.Coverage, error)
	// Spend takes one of the requests that a source allows on a day, durably and before
	// it is sent, so that a process that dies can't send it twice. It returns when the one
	// before was taken, zero where there was none, or [market.ErrQuota] where most have been.
	Spend(ctx context.Context, source string, day market.Date, most int, at time.Time) (before time.Time, err error)
	// Load stores a batch in one durable transaction. accept sees the counts before
	// the commit and can refuse it.
	Load(ctx context.Context, b market.Batch, accept func(market.Counts) error) (market.Counts, error)
	// SavePayload records a receipt that brought no bars.
	SavePayload(ctx context.Context, p market.Payload) error
	// What follows reads whole transactions only; what is not there is
	// [market.ErrNotFound].
	Instruments(ctx context.Context, q market.InstrumentQuery) ([]market.Instrument, error)
	Bars(ctx context.Context, q market.BarQuery) ([]market.Bar, error)
	Versions(ctx context.Context, symbol string, interval market.Interval, start time.Time) ([]market.Version, error)
	// Actions returns the newest list of each kind that was known at a time, zero being now.
	Actions(ctx context.Context, symbol string, asOf time.Time) ([]market.KnownActions, error)
	Quarantine(ctx context.Context, q market.RecordQuery) ([]market.Quarantined, error)
}

// Archive keeps payloads. Put is durable when it returns and harmless to repeat.
type Archive interface {
	Put(ctx context.Context, p market.Payload, body []byte) error
	Get(ctx context.Context, source, sha256 string) ([]byte, error)
	Receipts(ctx context.Context, source string, since time.Time) iter.Seq2[market.Payload, error]
	// List iterates over the keys that begin with prefix, ascending, and Read returns
	// what lies under one, or [market.ErrNotFound]: as it is, without the checks that
	// the other methods make on the way, since those are what is to be verified.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
	Read(ctx context.Context, key string) ([]byte, error)
}

// Progress is how far a command has come with a source.
type Progress struct {
	Source string
	Step   string // what it does now: "fetch", "replay", "receipts", "compare"
	Done   int
	Total  int    // zero where nobody knows
	Item   string // what it is at
}

// Config is what an [Ingester] works with. Store and Archive are required.
type Config struct {
	Store   Store
	Archive Archive
	Logger  *slog.Logger
	Metrics *Metrics // nil: none
	// Tracer starts the traces of runs; nil: there are none.
	Tracer trace.TracerProvider
	// Progress is told how far a command has come; nil: nobody is.
	Progress func(Progress)

	// HTTP sends requests; nil: a transport with timeouts of its own.
	HTTP http.RoundTripper
	// Timeout is the time for one request with its whole body; zero: 30 s.
	Timeout time.Duration
	// Backoff is the wait before the first retry within a run; it doubles. Zero: 1 s.
	Backoff time.Duration
	// AcceptRestatement loads payloads that change most of what is stored.
	AcceptRestatement bool
	// Now is the clock; nil: the real one.
	Now func() time.Time
}

// Ingester brings sources up to date.
type Ingester struct {
	cfg  Config
	http *http.Client
	sent sentTimes
}

// New returns an ingester.
func New(cfg Config) *Ingester {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = time.Second
	}
	if cfg.Progress == nil {
		cfg.Progress = func(Progress) {}
	}
	if cfg.Tracer == nil {
		cfg.Tracer = noop.NewTracerProvider()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Ingester{cfg: cfg, http: newClient(cfg)}
}
