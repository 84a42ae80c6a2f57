// Package api serves the series over HTTP: JSON by default, CSV and NDJSON on
// request, and RFC 9457 problem documents for everything that goes wrong.
//
// A handler turns a request into an answer or an error and knows nothing of HTTP's
// other sides: one function negotiates the format, marks simulated data, hashes the
// body into an ETag, sets the caching and writes. What the store could not do is a
// 503, what it does not have a 404.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"bourse/internal/market"
	"bourse/internal/telemetry"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Store is what the API reads from. All methods are safe for concurrent use, see
// whole transactions only, and are not held up by writers. What is not there is
// [market.ErrNotFound]; any other error means that the store is out of order.
type Store interface {
	// Version changes whenever something is committed, by anyone. It is cheap.
	Version(ctx context.Context) (int64, error)
	Instruments(ctx context.Context, q market.InstrumentQuery) ([]market.Instrument, error)
	Instrument(ctx context.Context, symbol string) (market.Instrument, error)
	Bars(ctx context.Context, q market.BarQuery) ([]market.Bar, error)
	// Actions returns the newest list of each kind that was known at a time, zero being now.
	Actions(ctx context.Context, symbol string, asOf time.Time) ([]market.KnownActions, error)
	// Versions returns all that a bar has been, newest first.
	Versions(ctx context.Context, symbol string, interval market.Interval, start time.Time) ([]market.Version, error)
	Runs(ctx context.Context, q market.RecordQuery) ([]market.Run, error)
	Quarantine(ctx context.Context, q market.RecordQuery) ([]market.Quarantined, error)
	Sources(ctx context.Context) ([]market.SourceStatus, error)
	// NextRun returns when a source is asked next; zero where nobody knows.
	NextRun(ctx context.Context, source string) (time.Time, error)
	// Spent returns how many requests of a source have been taken on a day.
	Spent(ctx context.Context, source string, day market.Date) (int, error)
	Payload(ctx context.Context, sha256 string) (market.Payload, error)
	// Watch signals commits, LastChange and Changes say what they changed.
	Watch(ctx context.Context) (<-chan struct{}, error)
	LastChange(ctx context.Context) (int64, error)
	Changes(ctx context.Context, after int64, limit int) ([]market.Change, error)
}

// Archive has the bytes of payloads.
type Archive interface {
	Get(ctx context.Context, source, sha256 string) ([]byte, error)
}

// Config is what an [API] works with. Store and Archive are required.
type Config struct {
	Store   Store
	Archive Archive
	// Keys opens series under an internal licence; nil: they stay closed.
	Keys Keys
	// Limit is how often a client may ask, Proxies how many proxies of our own stand
	// between it and here.
	Limit   Limit
	Proxies int
	Logger  *slog.Logger
	// Registerer takes the metrics; nil: none are kept.
	Registerer prometheus.Registerer
	// Tracer starts the traces of requests; nil: there are none.
	Tracer trace.TracerProvider
	// Now is the clock; nil: the real one.
	Now func() time.Time
}

// API is the handler of /api/v1/. Run its [API.Watch] beside it for the event stream.
type API struct {
	cfg     Config
	handler http.Handler
	hub     *hub
	cache   cache
	limiter *limiter
	// real is set once the store is known to have real data. It stays: simulated
	// data never comes back.
	real atomic.Bool
	// reached is set once the store has answered.
	reached atomic.Bool
}

// New returns the API.
func New(cfg Config) *API {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Registerer == nil {
		cfg.Registerer = prometheus.NewRegistry()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &API{cfg: cfg, hub: newHub(), limiter: newLimiter(cfg.Limit)}
	a.handler = telemetry.Requests{
		Part: "api", Logger: cfg.Logger, Registerer: cfg.Registerer, Tracer: cfg.Tracer,
		Failed: func(w http.ResponseWriter, r *http.Request) { a.tell(w, r, internal.of("", ""), false) },
	}.Handler(a.limited(a.routes()))
	cfg.Registerer.MustRegister(newStatus(cfg), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "bourse_streams", Help: "Event streams that are open.",
	}, a.hub.size))
	return a
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Ready reports why the API cannot serve, or nil. Once it has reached the store it stays
// ready: when the store is down for all replicas, taking all of them out would turn answers
// from memory, and problems that say what is wrong, into connections that are refused.
func (a *API) Ready(ctx context.Context) error {
	if a.reached.Load() {
		return nil
	}
	if _, err := a.cfg.Store.Sources(ctx); err != nil {
		return err
	}
	a.reached.Store(true)
	return nil
}
