// Command bourse is the whole system in one process: it fetches, stores and serves
// market data, with nothing to set up. See the flags for what can be changed; each
// is also an environment variable, -data-dir being BOURSE_DATA_DIR.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"sync"
	_ "time/tzdata" // an image has no zone files

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

func main() { config.Main("bourse", run) }

func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("bourse", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var listen config.Listen
	var storage config.Storage
	listen.Flags(fs)
	storage.Flags(fs)
	level := config.LogLevel(fs)
	ecbURL := fs.String("ecb-url", ecb.URL, "base URL of the ECB's reference rates")
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel := telemetry.Setup("bourse", stderr, *level)
	tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)

	databaseURL, archiveURL, err := storage.URLs()
	if err != nil {
		return err
	}
	store, err := sqlite.Open(databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	raw, err := archive.Open(ctx, archiveURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	rates, err := ecb.New(*ecbURL)
	if err != nil {
		return err
	}
	in := ingest.New(ingest.Config{Store: store, Archive: raw, Logger: tel.Logger, Metrics: ingest.NewMetrics(tel.Registry)})
	rest := api.New(api.Config{Store: store, Archive: raw, Logger: tel.Logger, Registerer: tel.Registry})
	pages, err := web.New(web.Config{API: rest, Logger: tel.Logger})
	if err != nil {
		return err
	}

	// The background work ends before the store is closed.
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() { in.Follow(ctx, rates, simulated.Source{}) })
	background.Go(func() { rest.Watch(ctx) })
	return server.Run(ctx, server.Config{Listen: listen, Handler: pages, Ready: store.Ping, Telemetry: tel})
}
