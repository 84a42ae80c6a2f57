// Command bourse is the whole system in one process: it fetches, stores and serves
// market data, with nothing to set up. See the flags for what can be changed; each
// is also an environment variable, -data-dir being BOURSE_DATA_DIR.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no zone files

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/server"
	"bourse/internal/source/ecb"
	"bourse/internal/source/simulated"
	"bourse/internal/sqlite"
	"bourse/internal/telemetry"
	"bourse/internal/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bourse:", err)
		os.Exit(1)
	}
}

// settings are the configuration of the binary.
type settings struct {
	addr, adminAddr         string
	dataDir                 string
	databaseURL, archiveURL string
	ecbURL                  string
	logLevel                slog.Level
	drain                   time.Duration
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	var s settings
	fs := flag.NewFlagSet("bourse", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&s.addr, "addr", ":8080", "address of the dashboard and the API")
	fs.StringVar(&s.adminAddr, "admin-addr", "127.0.0.1:9090", "address of metrics and pprof")
	fs.StringVar(&s.dataDir, "data-dir", "data", "folder of the store and the archive")
	fs.StringVar(&s.databaseURL, "database-url", "", "store (default sqlite:// in the data folder)")
	fs.StringVar(&s.archiveURL, "archive-url", "", "archive of raw payloads (default file:// in the data folder)")
	fs.StringVar(&s.ecbURL, "ecb-url", ecb.URL, "base URL of the ECB's reference rates")
	fs.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "least level that is logged: DEBUG, INFO, WARN or ERROR")
	fs.DurationVar(&s.drain, "drain", 0, "how long readiness fails before the listeners close")
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	if err := s.inDataDir(); err != nil {
		return err
	}
	tel := telemetry.Setup("bourse", stderr, s.logLevel)
	tel.Logger.InfoContext(ctx, "starting", append([]any{"version", telemetry.Version()}, config.Attrs(fs)...)...)

	store, err := sqlite.Open(s.databaseURL)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	raw, err := archive.Open(ctx, s.archiveURL)
	if err != nil {
		return err
	}
	defer raw.Close()
	rates, err := ecb.New(s.ecbURL)
	if err != nil {
		return err
	}
	in := ingest.New(ingest.Config{Store: store, Archive: raw, Logger: tel.Logger, Metrics: ingest.NewMetrics(tel.Registry)})
	rest := api.New(api.Config{Store: store, Archive: raw, Logger: tel.Logger, Registerer: tel.Registry})
	pages, err := web.New(web.Config{API: rest, Logger: tel.Logger})
	if err != nil {
		return err
	}

	// The background work ends first, while the store is still open.
	var background sync.WaitGroup
	defer background.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background.Go(func() { in.Follow(ctx, rates, simulated.Source{}) })
	background.Go(func() {
		if err := rest.Watch(ctx); err != nil && ctx.Err() == nil {
			tel.Logger.ErrorContext(ctx, "no event stream", "error", err)
		}
	})
	return server.Run(ctx, server.Config{
		Addr: s.addr, AdminAddr: s.adminAddr, Handler: pages, Ready: store.Ping, Telemetry: tel, Drain: s.drain,
	})
}

// inDataDir puts what has no address of its own into the data folder.
func (s *settings) inDataDir() error {
	dir, err := filepath.Abs(s.dataDir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if s.databaseURL == "" {
		s.databaseURL = "sqlite://" + filepath.Join(dir, "bourse.db")
	}
	if s.archiveURL == "" {
		s.archiveURL = "file://" + filepath.Join(dir, "archive")
	}
	return nil
}
