// Command ingest brings the sources up to date once and exits, with status 0 where
// every run succeeded.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	_ "time/tzdata" // an image has no zone files

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/telemetry"
)

func main() { config.Main("ingest", run) }

func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("ingest", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var storage config.Storage
	storage.Flags(fs)
	level := config.LogLevel(fs)
	var feeds wire.Feeds
	feeds.Flags(fs)
	source := fs.String("source", "", "the `source` to bring up to date (default all)")
	accept := fs.Bool("accept-restatement", false, "load payloads that change most of what is stored; look at them first")
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, "ingest", stderr, *level)
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
	if err := store.Ping(ctx); err != nil {
		return fmt.Errorf("%w (run migrate first)", err)
	}
	raw, err := wire.OpenArchive(ctx, storage, tel.Registry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	all, err := feeds.Open()
	if err != nil {
		return err
	}
	sources, err := wire.Choose(all, *source)
	if err != nil {
		return err
	}
	in := ingest.New(ingest.Config{Store: store, Archive: raw, Logger: tel.Logger, Tracer: tel.Tracer, AcceptRestatement: *accept})
	for _, src := range sources {
		record, failed := in.Run(ctx, src, "manual")
		if failed == nil && record.Outcome != market.OK {
			failed = fmt.Errorf("run %d of %s: %s: %s", record.ID, record.Source, record.Outcome, record.Error)
		}
		err = errors.Join(err, failed)
	}
	return err
}
