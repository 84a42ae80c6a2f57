// Command migrate brings the schema of the store up to date and exits. Migrations
// only go forward, and old code runs with the new schema.
package main

import (
	"context"
	"errors"
	"flag"
	"io"

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/telemetry"
)

func main() { config.Main("migrate", run) }

func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("migrate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var storage config.Storage
	storage.Flags(fs)
	level := config.LogLevel(fs)
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, "migrate", stderr, *level)
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
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	tel.Logger.InfoContext(ctx, "the schema is up to date")
	return nil
}
