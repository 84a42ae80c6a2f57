package e2e

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/server"
	"bourse/internal/source/ecb"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/source/simulated"
	"bourse/internal/sqlite"
	"bourse/internal/telemetry"
	"bourse/internal/web"
)

// bourse is what cmd/bourse runs, on temporary folders.
type bourse struct {
	store  *sqlite.Store
	raw    *archive.Archive
	ingest *ingest.Ingester
}

// start runs a bourse for as long as the test and returns its URL.
func start(t *testing.T, world string) string {
	t.Helper()
	b := newBourse(t)
	switch world {
	case "source=offline":
		b.goOffline(t)
	case "", "store=closed":
		b.loadRates(t)
	default:
		t.Fatalf("there is no world %q", world)
	}
	base := b.serve(t)
	if world == "store=closed" {
		if err := b.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return base
}

func newBourse(t *testing.T) *bourse {
	t.Helper()
	store, err := sqlite.Open("sqlite://" + t.TempDir() + "/bourse.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := archive.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return &bourse{store, raw, ingest.New(ingest.Config{Store: store, Archive: raw, Backoff: time.Millisecond})}
}

// loadRates takes in three years of rates, one of which is no number, and then what
// the upstream says after a correction.
func (b *bourse) loadRates(t *testing.T) {
	t.Helper()
	last := new(ecb.Source).Info().Expected(time.Now())
	first := min(last-3*365, market.NewDate(2026, time.January, 1)) // scripts name days of that month
	upstream := ecbtest.New(first, last)
	upstream.Set("JPY", market.TARGET.Before(last), "16O.00")
	b.run(t, upstream)
	upstream.Set("USD", market.TARGET.Before(last), "1.1111")
	upstream.Set("JPY", market.TARGET.Before(last), "160.00")
	b.run(t, upstream)
}

func (b *bourse) run(t *testing.T, upstream http.Handler) {
	t.Helper()
	server := httptest.NewServer(upstream)
	defer server.Close()
	source, err := ecb.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	run, err := b.ingest.Run(t.Context(), source, "start")
	if err != nil || run.Outcome != market.OK {
		t.Fatalf("run: %+v, %v", run, err)
	}
}

// goOffline starts a bourse that nobody answers and waits for the stand-in.
func (b *bourse) goOffline(t *testing.T) {
	t.Helper()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	source, err := ecb.New(nobody.URL)
	if err != nil {
		t.Fatal(err)
	}
	background(t, func(ctx context.Context) { b.ingest.Follow(ctx, source, simulated.Source{}) })
	ctx, cancel := context.WithTimeout(t.Context(), answerTimeout)
	defer cancel()
	commits, err := b.store.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range commits {
		sources, err := b.store.Sources(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sources {
			if s.Name == market.Simulated && s.LastOK != nil {
				return
			}
		}
	}
	t.Fatal("no simulated data came")
}

// serve wires the parts as cmd/bourse does and returns the URL.
func (b *bourse) serve(t *testing.T) string {
	t.Helper()
	heard := &listening{addr: make(chan string, 1)}
	tel, err := telemetry.Setup(t.Context(), "bourse", t.Output(), slog.LevelError)
	if err != nil {
		t.Fatal(err)
	}
	tel.Logger = slog.New(heard)
	rest := api.New(api.Config{Store: b.store, Archive: b.raw, Registerer: tel.Registry})
	pages, err := web.New(web.Config{API: rest, Logger: tel.Logger})
	if err != nil {
		t.Fatal(err)
	}
	background(t, rest.Watch)
	background(t, func(ctx context.Context) {
		err := server.Run(ctx, server.Config{
			Listen:  config.Listen{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0"},
			Handler: pages, Ready: b.store.Ping, Telemetry: tel,
		})
		if err != nil {
			t.Error(err)
		}
	})
	select {
	case addr := <-heard.addr:
		return "http://" + addr
	case <-time.After(answerTimeout):
		t.Fatal("the server does not listen")
		return ""
	}
}

// background runs f until the test ends, and waits for it.
func background(t *testing.T, f func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
}

// listening is a log handler that hears at which address a server listens, as people
// do who start one on port 0.
type listening struct{ addr chan string }

func (*listening) Enabled(context.Context, slog.Level) bool { return true }
func (l *listening) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *listening) WithGroup(string) slog.Handler          { return l }

func (l *listening) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "listening" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "addr" {
				l.addr <- a.Value.String()
			}
			return true
		})
	}
	return nil
}
