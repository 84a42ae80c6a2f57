// Package server runs the HTTP servers of a binary: its own port with /livez and
// /readyz, and an admin port with metrics and pprof that is not for the public.
//
// It ends in this order: readiness fails, so that load balancers send no more, and each
// answer closes its connection, so that clients that keep theirs go elsewhere; long-lived
// answers are told to end; requests in flight finish; the listeners close.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"time"

	"bourse/internal/config"
	"bourse/internal/telemetry"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is what to serve. All of it is required.
type Config struct {
	// Listen has the addresses, where port 0 is any free one, which the log names;
	// and how long readiness fails before the listeners close: as long as a load
	// balancer takes to notice.
	Listen    config.Listen
	Handler   http.Handler
	Ready     func(context.Context) error // why the service can't serve, or nil
	Telemetry *telemetry.Telemetry
}

// shutdownTimeout bounds the wait for requests in flight.
const shutdownTimeout = 20 * time.Second

// maxHeaderBytes is larger than any request that is answered, so that one that is
// too long gets an answer from the handler and not a bare status line.
const maxHeaderBytes = 4 << 20

// Run serves until ctx ends and everything in flight has been answered.
func Run(ctx context.Context, cfg Config) error {
	log := cfg.Telemetry.Logger
	var draining atomic.Bool
	requests := context.WithoutCancel(ctx) // what is in flight outlives the signal to end
	streams, endStreams := context.WithCancel(requests)
	defer endStreams()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if draining.Load() {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
		} else if err := cfg.Ready(r.Context()); err != nil {
			log.WarnContext(r.Context(), "not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		} else {
			fmt.Fprintln(w, "ok")
		}
	})
	mux.Handle("/", endWith(streams, cfg.Handler))

	public := newServer(requests, closing(&draining, mux), log)
	admin := newServer(requests, adminMux(cfg.Telemetry), log)
	failed := make(chan error, 2)
	adminAt, err := listen(ctx, admin, cfg.Listen.AdminAddr, failed)
	if err != nil {
		return err
	}
	publicAt, err := listen(ctx, public, cfg.Listen.Addr, failed)
	if err != nil {
		return errors.Join(err, admin.Close())
	}
	log.InfoContext(ctx, "listening", "addr", publicAt, "admin_addr", adminAt)

	select {
	case <-ctx.Done():
		draining.Store(true)
		log.InfoContext(ctx, "shutting down")
		time.Sleep(cfg.Listen.Drain)
	case err = <-failed:
	}
	endStreams()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(err, public.Shutdown(limit), admin.Shutdown(limit))
}

// closing lets each answer close its connection while the server drains. To close idle
// connections would cut off a request that is just on its way.
func closing(draining *atomic.Bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// endWith ends event streams, which have no end of their own, with a context.
func endWith(streams context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/stream") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(streams, cancel)()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// listen serves at an address and returns the one that it got.
func listen(ctx context.Context, s *http.Server, addr string, failed chan<- error) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	go func() { failed <- s.Serve(listener) }()
	return listener.Addr().String(), nil
}

func newServer(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // longer than a load balancer's
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
}

func adminMux(t *telemetry.Telemetry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
