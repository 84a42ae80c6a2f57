package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/telemetry"
)

// settings are those of the system, which the server and every verb have.
type settings struct {
	storage config.Storage
	level   *slog.Level
	feeds   wire.Feeds
}

func (s *settings) flags(fs *flag.FlagSet) {
	s.storage.Flags(fs)
	s.level = config.LogLevel(fs)
	s.feeds.Flags(fs)
}

// system is a store, an archive and the sources that fill them.
type system struct {
	store   wire.Store
	archive wire.Archive
	sources []ingest.Source
}

// open opens what the settings name. It does not migrate.
func (s *settings) open(ctx context.Context, tel *telemetry.Telemetry) (*system, error) {
	sources, err := s.feeds.Open()
	if err != nil {
		return nil, err
	}
	store, err := wire.OpenStore(ctx, s.storage, tel.Registry)
	if err != nil {
		return nil, err
	}
	raw, err := wire.OpenArchive(ctx, s.storage, tel.Registry)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &system{store: store, archive: raw, sources: sources}, nil
}

func (s *system) close() error { return errors.Join(s.archive.Close(), s.store.Close()) }
