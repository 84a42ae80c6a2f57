// Command migrate brings the schema of the store up to date and exits. Migrations
// only go forward, and old code runs with the new schema.
//
// With -database-users it sees to it that each component signs in to PostgreSQL as a user
// of its own, with the rights that it needs. Run as the master of the database it makes
// these users and gives the schema to that of migrate; run as that one, as the chart does,
// it migrates and then grants the others what they need of the tables.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/postgres"
	"bourse/internal/telemetry"
)

func main() { config.Main("migrate", run) }

func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("migrate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var storage config.Storage
	storage.Flags(fs)
	level := config.LogLevel(fs)
	names := fs.String("database-users", "", "the `users` of PostgreSQL, as api=bourse_api,ingest=bourse_ingest,migrate=bourse_migrate: make them, as another than migrate's; migrate and grant, as that one")
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, "migrate", stderr, *level)
	if err != nil {
		return err
	}
	defer tel.Shutdown(ctx)
	tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)

	store, err := wire.OpenStore(ctx, storage, nil) // it ends before anybody asks for metrics
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if *names != "" {
		return migrateWithUsers(ctx, store, *names, tel.Logger)
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	tel.Logger.InfoContext(ctx, upToDate)
	return nil
}

const upToDate = "the schema is up to date"

func migrateWithUsers(ctx context.Context, store wire.Store, names string, logger *slog.Logger) error {
	server, ok := store.(*postgres.Store)
	if !ok {
		return errors.New("only PostgreSQL has users: give its address, or leave out -database-users")
	}
	users, err := postgres.ParseUsers(names)
	if err != nil {
		return err
	}
	isMigrate, err := server.SetUpUsers(ctx, users)
	if err != nil {
		return err
	}
	if !isMigrate {
		logger.InfoContext(ctx, "the users are there, and the schema is for that of migrate to bring up to date")
		return nil
	}
	if err := server.Migrate(ctx); err != nil {
		return err
	}
	if err := server.GrantUsers(ctx, users); err != nil {
		return err
	}
	logger.InfoContext(ctx, upToDate)
	return nil
}
