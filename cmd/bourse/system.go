package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"

	"bourse/cmd/internal/wire"
	"bourse/internal/archive"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/source/ecb"
)

// settings are those of the system, which the server and every verb have.
type settings struct {
	storage config.Storage
	level   *slog.Level
	ecbURL  string
}

func (s *settings) flags(fs *flag.FlagSet) {
	s.storage.Flags(fs)
	s.level = config.LogLevel(fs)
	fs.StringVar(&s.ecbURL, "ecb-url", ecb.URL, "base URL of the ECB's reference rates")
}

// system is a store, an archive and the sources that fill them.
type system struct {
	store   wire.Store
	archive *archive.Archive
	sources []ingest.Source
}

// open opens what the settings name. It does not migrate.
func (s *settings) open(ctx context.Context) (*system, error) {
	rates, err := ecb.New(s.ecbURL)
	if err != nil {
		return nil, err
	}
	store, err := wire.OpenStore(ctx, s.storage)
	if err != nil {
		return nil, err
	}
	raw, err := wire.OpenArchive(ctx, s.storage)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &system{store: store, archive: raw, sources: []ingest.Source{rates}}, nil
}

func (s *system) close() error { return errors.Join(s.archive.Close(), s.store.Close()) }
