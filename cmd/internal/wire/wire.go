// Package wire opens what commands have in common: the store and the archive that
// their settings name, by the scheme of the address.
package wire

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/sqlite"

	"github.com/prometheus/client_golang/prometheus"
)

// Store is all that commands want of a store.
type Store interface {
	ingest.Store
	api.Store
	api.Keys
	Keys(ctx context.Context) ([]market.Key, error)
	SaveKey(ctx context.Context, k market.Key) error
	RevokeKey(ctx context.Context, id string, at time.Time) error
	Migrate(ctx context.Context) error
	Ping(ctx context.Context) error
	Close() error
}

// OpenStore opens the store of the settings, and registers the metrics of its operations; nil: none
// are kept. It does not migrate.
func OpenStore(ctx context.Context, s config.Storage, r prometheus.Registerer) (Store, error) {
	store, err := openStore(ctx, s)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return store, nil
	}
	return observedStore{store, newOperations(r, "store")}, nil
}

func openStore(ctx context.Context, s config.Storage) (Store, error) {
	address, _, err := s.URLs()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the database URL is not one") // without the URL, which may have a password in it
	}
	switch u.Scheme {
	case "sqlite":
		return sqlite.Open(address)
	case "postgres", "postgresql":
		return postgres.Open(ctx, address)
	}
	return nil, fmt.Errorf("the database URL begins with sqlite:// or postgres://, not %s://", u.Scheme)
}

// OpenArchive opens the archive of the settings, and registers the metrics of its operations;
// nil: none are kept.
func OpenArchive(ctx context.Context, s config.Storage, r prometheus.Registerer) (Archive, error) {
	_, address, err := s.URLs()
	if err != nil {
		return nil, err
	}
	raw, err := archive.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return raw, nil
	}
	return newObservedArchive(raw, r), nil
}
