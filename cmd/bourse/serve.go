package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"

	"bourse/internal/api"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/server"
	"bourse/internal/source/simulated"
	"bourse/internal/telemetry"
	"bourse/internal/web"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// serve is bourse without a verb: the whole system in one process.
func serve(stderr io.Writer) *ffcli.Command {
	fs := flag.NewFlagSet("bourse", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var listen config.Listen
	var clients config.Clients
	var s settings
	listen.Flags(fs)
	clients.Flags(fs)
	s.flags(fs)
	return &ffcli.Command{
		Name:       "bourse",
		ShortUsage: "bourse [flags]           the whole system in one process\n  bourse <verb> [flags]    one task on the same store and archive, then exit",
		LongHelp: "Every flag is also an environment variable: -data-dir is BOURSE_DATA_DIR.\n" +
			"'bourse <verb> -help' tells of a verb.\n\n" + statusHelp,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("there is no verb %q; bourse -help lists them", args[0])
			}
			if err := config.Parse(fs, nil); err != nil {
				return err
			}
			tel, err := telemetry.Setup(ctx, "bourse", stderr, *s.level)
			if err != nil {
				return err
			}
			defer tel.Shutdown(ctx)
			tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)
			return serveAll(ctx, listen, clients, s, tel)
		},
	}
}

func serveAll(ctx context.Context, listen config.Listen, clients config.Clients, s settings, tel *telemetry.Telemetry) (err error) {
	sys, err := s.open(ctx, tel)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.close()) }()
	if err := sys.store.Migrate(ctx); err != nil {
		return err
	}
	in := ingest.New(ingest.Config{Store: sys.store, Archive: sys.archive, Logger: tel.Logger, Metrics: ingest.NewMetrics(tel.Registry), Tracer: tel.Tracer})
	rest := api.New(api.Config{
		Store: sys.store, Archive: sys.archive, Keys: sys.store,
		Limit: api.Limit{Rate: clients.Rate, Burst: clients.Burst}, Proxies: clients.Proxies,
		Logger: tel.Logger, Registerer: tel.Registry, Tracer: tel.Tracer,
	})
	pages, err := web.New(web.Config{API: rest, Logger: tel.Logger, Registerer: tel.Registry, Tracer: tel.Tracer})
	if err != nil {
		return err
	}

	// The background work ends before the store is closed.
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	for _, src := range sys.sources {
		background.Go(func() { in.Follow(ctx, src, simulated.Source{}) })
	}
	background.Go(func() { rest.Watch(ctx) })
	return server.Run(ctx, server.Config{Listen: listen, Handler: pages, Ready: sys.store.Ping, Telemetry: tel})
}
