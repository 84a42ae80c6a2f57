package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrations only go forward, and each must be safe while the code of the release
// before is running: add first, remove a release later.
//
//go:embed migrations
var migrations embed.FS

// How long to wait for another process that is migrating, in attempts a second apart.
const migrateAttempts = 300

// Migrate brings the schema up to date, one process at a time.
func (s *Store) Migrate(ctx context.Context) error {
	c := s.server.config.ConnConfig.Copy()
	// A migration that waits for a table makes every later reader of it wait too.
	c.RuntimeParams["lock_timeout"] = "5s"
	var options []stdlib.OptionOpenDB
	if s.server.password != nil {
		options = append(options, stdlib.OptionBeforeConnect(s.server.password))
	}
	db := stdlib.OpenDB(*c, options...)
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, migrateAttempts))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return errors.Join(fmt.Errorf("migrations: %w", err), db.Close())
	}
	if _, err := provider.Up(ctx); err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), db.Close())
	}
	return db.Close()
}
