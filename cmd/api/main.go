// Command api serves the series of a store that others fill.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"sync"
	_ "time/tzdata" // an image has no zone files

	"bourse/cmd/internal/wire"
	"bourse/internal/api"
	"bourse/internal/config"
	"bourse/internal/server"
	"bourse/internal/telemetry"
)

func main() { config.Main("api", run) }

func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("api", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var listen config.Listen
	var storage config.Storage
	var clients config.Clients
	listen.Flags(fs)
	clients.Flags(fs)
	storage.Flags(fs)
	level := config.LogLevel(fs)
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, "api", stderr, *level)
	if err != nil {
		return err
	}
	defer tel.Shutdown(ctx)
	tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)

	store, err := wire.OpenStore(ctx, storage, tel.Registry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	raw, err := wire.OpenArchive(ctx, storage, tel.Registry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	rest := api.New(api.Config{
		Store: store, Archive: raw, Keys: store, Limit: api.Limit{Rate: clients.Rate, Burst: clients.Burst}, Proxies: clients.Proxies,
		Logger: tel.Logger, Registerer: tel.Registry, Tracer: tel.Tracer,
	})

	// The background work ends before the store is closed.
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() { rest.Watch(ctx) })
	return server.Run(ctx, server.Config{Listen: listen, Handler: rest, Ready: rest.Ready, Telemetry: tel})
}
