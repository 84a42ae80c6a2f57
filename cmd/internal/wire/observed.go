package wire

import (
	"context"
	"errors"
	"time"

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/ingest"
	"bourse/internal/market"

	"github.com/prometheus/client_golang/prometheus"
)

// operations measures what is done with a store or an archive.
type operations struct{ duration *prometheus.HistogramVec }

func newOperations(r prometheus.Registerer, of string) operations {
	o := operations{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "bourse_" + of + "_operation_duration_seconds",
		Help:    "How long operations of the " + of + " took, by result: ok or error. That something is not there, locked or used up is ok.",
		Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 30},
	}, []string{"operation", "result"})}
	r.MustRegister(o.duration)
	return o
}

// done measures an operation that began at a time and came to an error or nil.
func (o operations) done(operation string, began time.Time, err error) {
	result := "ok"
	if failed(err) {
		result = "error"
	}
	o.duration.WithLabelValues(operation, result).Observe(time.Since(began).Seconds())
}

// failed reports whether an error says that the store or the archive did not do its part. One
// that says what is there, or that whoever asked has gone or did not want it, does not.
func failed(err error) bool {
	var refused *market.Failure
	switch {
	case err == nil, errors.Is(err, market.ErrNotFound), errors.Is(err, market.ErrLocked), errors.Is(err, market.ErrQuota),
		errors.Is(err, market.ErrRealData), errors.Is(err, context.Canceled), errors.As(err, &refused):
		return false
	}
	return true
}

// measured does an operation that returns something.
func measured[T any](o operations, operation string, do func() (T, error)) (T, error) {
	began := time.Now()
	v, err := do()
	o.done(operation, began, err)
	return v, err
}

// measure does one that does not.
func (o operations) measure(operation string, do func() error) error {
	began := time.Now()
	err := do()
	o.done(operation, began, err)
	return err
}

// observedStore is a store whose operations are measured. It embeds nothing, so that one that
// is added cannot be forgotten.
type observedStore struct {
	store Store
	on    operations
}

func (s observedStore) Lock(ctx context.Context, source string) (func(), error) {
	return measured(s.on, "lock", func() (func(), error) { return s.store.Lock(ctx, source) })
}

func (s observedStore) StartRun(ctx context.Context, source market.Source, trigger string, at time.Time) (int64, error) {
	return measured(s.on, "start_run", func() (int64, error) { return s.store.StartRun(ctx, source, trigger, at) })
}

func (s observedStore) FinishRun(ctx context.Context, run market.Run, next time.Time) error {
	return s.on.measure("finish_run", func() error { return s.store.FinishRun(ctx, run, next) })
}

func (s observedStore) Coverage(ctx context.Context, source market.Source) (market.Coverage, error) {
	return measured(s.on, "coverage", func() (market.Coverage, error) { return s.store.Coverage(ctx, source) })
}

func (s observedStore) Spend(ctx context.Context, source string, day market.Date, most int, at time.Time) (time.Time, error) {
	return measured(s.on, "spend", func() (time.Time, error) { return s.store.Spend(ctx, source, day, most, at) })
}

func (s observedStore) Spent(ctx context.Context, source string, day market.Date) (int, error) {
	return measured(s.on, "spent", func() (int, error) { return s.store.Spent(ctx, source, day) })
}

func (s observedStore) Load(ctx context.Context, b market.Batch, accept func(market.Counts) error) (market.Counts, error) {
	return measured(s.on, "load", func() (market.Counts, error) { return s.store.Load(ctx, b, accept) })
}

func (s observedStore) SavePayload(ctx context.Context, p market.Payload) error {
	return s.on.measure("save_payload", func() error { return s.store.SavePayload(ctx, p) })
}

// Version is asked before each answer, and from memory: to measure it would cost more than it.
func (s observedStore) Version(ctx context.Context) (int64, error) { return s.store.Version(ctx) }

func (s observedStore) Instruments(ctx context.Context, q market.InstrumentQuery) ([]market.Instrument, error) {
	return measured(s.on, "instruments", func() ([]market.Instrument, error) { return s.store.Instruments(ctx, q) })
}

func (s observedStore) Instrument(ctx context.Context, symbol string) (market.Instrument, error) {
	return measured(s.on, "instrument", func() (market.Instrument, error) { return s.store.Instrument(ctx, symbol) })
}

func (s observedStore) Bars(ctx context.Context, q market.BarQuery) ([]market.Bar, error) {
	return measured(s.on, "bars", func() ([]market.Bar, error) { return s.store.Bars(ctx, q) })
}

func (s observedStore) Actions(ctx context.Context, symbol string, asOf time.Time) ([]market.KnownActions, error) {
	return measured(s.on, "actions", func() ([]market.KnownActions, error) { return s.store.Actions(ctx, symbol, asOf) })
}

func (s observedStore) Versions(ctx context.Context, symbol string, interval market.Interval, start time.Time) ([]market.Version, error) {
	return measured(s.on, "versions", func() ([]market.Version, error) { return s.store.Versions(ctx, symbol, interval, start) })
}

func (s observedStore) Runs(ctx context.Context, q market.RecordQuery) ([]market.Run, error) {
	return measured(s.on, "runs", func() ([]market.Run, error) { return s.store.Runs(ctx, q) })
}

func (s observedStore) Quarantine(ctx context.Context, q market.RecordQuery) ([]market.Quarantined, error) {
	return measured(s.on, "quarantine", func() ([]market.Quarantined, error) { return s.store.Quarantine(ctx, q) })
}

func (s observedStore) Sources(ctx context.Context) ([]market.SourceStatus, error) {
	return measured(s.on, "sources", func() ([]market.SourceStatus, error) { return s.store.Sources(ctx) })
}

func (s observedStore) NextRun(ctx context.Context, source string) (time.Time, error) {
	return measured(s.on, "next_run", func() (time.Time, error) { return s.store.NextRun(ctx, source) })
}

func (s observedStore) Payload(ctx context.Context, sha256 string) (market.Payload, error) {
	return measured(s.on, "payload", func() (market.Payload, error) { return s.store.Payload(ctx, sha256) })
}

func (s observedStore) Watch(ctx context.Context) (<-chan struct{}, error) {
	return measured(s.on, "watch", func() (<-chan struct{}, error) { return s.store.Watch(ctx) })
}

func (s observedStore) LastChange(ctx context.Context) (int64, error) {
	return measured(s.on, "last_change", func() (int64, error) { return s.store.LastChange(ctx) })
}

func (s observedStore) Changes(ctx context.Context, after int64, limit int) ([]market.Change, error) {
	return measured(s.on, "changes", func() ([]market.Change, error) { return s.store.Changes(ctx, after, limit) })
}

func (s observedStore) Key(ctx context.Context, hash string) (market.Key, error) {
	return measured(s.on, "key", func() (market.Key, error) { return s.store.Key(ctx, hash) })
}

func (s observedStore) Keys(ctx context.Context) ([]market.Key, error) {
	return measured(s.on, "keys", func() ([]market.Key, error) { return s.store.Keys(ctx) })
}

func (s observedStore) SaveKey(ctx context.Context, k market.Key) error {
	return s.on.measure("save_key", func() error { return s.store.SaveKey(ctx, k) })
}

func (s observedStore) RevokeKey(ctx context.Context, id string, at time.Time) error {
	return s.on.measure("revoke_key", func() error { return s.store.RevokeKey(ctx, id, at) })
}

func (s observedStore) Migrate(ctx context.Context) error {
	return s.on.measure("migrate", func() error { return s.store.Migrate(ctx) })
}

func (s observedStore) Ping(ctx context.Context) error {
	return s.on.measure("ping", func() error { return s.store.Ping(ctx) })
}

func (s observedStore) Close() error { return s.store.Close() }

// Archive is all that commands want of an archive.
type Archive interface {
	ingest.Archive
	api.Archive
	Close() error
}

// observedArchive is an archive whose operations are measured. Reading all of it, as verify
// does, is none that anyone waits for.
type observedArchive struct {
	*archive.Archive
	on      operations
	written *prometheus.CounterVec
}

func newObservedArchive(a *archive.Archive, r prometheus.Registerer) observedArchive {
	written := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bourse_archive_written_bytes_total", Help: "Bytes of payloads that were archived.",
	}, []string{"source"})
	r.MustRegister(written)
	return observedArchive{a, newOperations(r, "archive"), written}
}

func (a observedArchive) Put(ctx context.Context, p market.Payload, body []byte) error {
	err := a.on.measure("put", func() error { return a.Archive.Put(ctx, p, body) })
	if err == nil {
		a.written.WithLabelValues(p.Source).Add(float64(len(body)))
	}
	return err
}

func (a observedArchive) Get(ctx context.Context, source, sha256 string) ([]byte, error) {
	return measured(a.on, "get", func() ([]byte, error) { return a.Archive.Get(ctx, source, sha256) })
}
