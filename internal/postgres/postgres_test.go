package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"bourse/internal/postgres"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/storetest"

	"github.com/jackc/pgx/v5"
)

// server is what the tests of this package share; each has a database of its own. They need
// that nothing failed as it was started and got the schema.
var (
	server *pgtest.Server
	failed error
)

// template is a database with the schema, copied for each test.
const template = "migrated"

func TestMain(m *testing.M) {
	os.Exit(run(m)) //nolint:forbidigo // the server has been stopped
}

func run(m *testing.M) int {
	// What a crash would lose, no test of this server looks for.
	server, failed = pgtest.Start("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
	if failed == nil {
		failed = migrated(server)
	}
	code := m.Run()
	if server != nil {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// migrated makes the template.
func migrated(server *pgtest.Server) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+template); err != nil {
		return err
	}
	s, err := postgres.Open(ctx, server.URL(template))
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Migrate(ctx)
}

// database returns the URL of a database with the schema, for one test.
func database(t testing.TB) string {
	t.Helper()
	pgtest.Need(t, failed)
	return server.URL(server.Database(t, template))
}

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (storetest.Store, func() storetest.Store) {
		url := database(t)
		return open(t, url), func() storetest.Store { return open(t, url) }
	})
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	for _, u := range []string{
		"", "bourse", "sqlite:///bourse.db", "postgres://%zz", "postgres://host:port/bourse", "postgres://host/bourse?auth=magic",
		"postgres://host/bourse?auth=iam&sslmode=disable", "postgres://host/bourse?auth=iam&sslmode=prefer",
		"postgres://one,two/bourse?auth=iam",
	} {
		if s, err := postgres.Open(t.Context(), u); err == nil {
			t.Errorf("%q was opened: %v", u, s.Close())
		}
	}
}

func TestErrorsKeepThePassword(t *testing.T) {
	for _, u := range []string{"postgres://bourse:hunter2@host:port/bourse", "postgres://bourse:hunter2@127.0.0.1:1/bourse"} {
		s, err := postgres.Open(t.Context(), u)
		if err == nil {
			err = s.Ping(t.Context())
			s.Close()
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestPingNeedsTheSchema(t *testing.T) {
	pgtest.Need(t, failed)
	s := open(t, server.URL(server.Database(t, "")))
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a store without a schema is ready")
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestMigrateAtOnce starts several processes' migrations together, as a rollout does.
func TestMigrateAtOnce(t *testing.T) {
	pgtest.Need(t, failed)
	url := server.URL(server.Database(t, ""))
	var wg sync.WaitGroup
	for range 4 {
		s := open(t, url)
		wg.Go(func() {
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// connection is a plain connection to a test's database.
func connection(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// TestSchemaKeepsHistory shows that the schema itself keeps what a bar said,
// whatever code changes it.
func TestSchemaKeepsHistory(t *testing.T) {
	db := connection(t, database(t))
	for _, statement := range []string{
		`INSERT INTO sources VALUES ('ecb', '', '', '', 'public', 'TARGET', 0, 'UTC', NULL)`,
		`INSERT INTO runs (id, source, trigger, started_at) VALUES (1, 'ecb', 'manual', now())`,
		`INSERT INTO payloads (id, run_id, source, resource, url, status, received_at, sha256, size, loaded) VALUES (1, 1, 'ecb', '', '', 200, now(), 'a', 1, true)`,
		`INSERT INTO instruments (id, symbol, name, kind, base, quote, source, calendar, licence) VALUES (1, 'EURUSD', '', 'fx', 'EUR', 'USD', 'ecb', 'TARGET', 'public')`,
		`INSERT INTO bars (instrument_id, interval, start, open, high, low, close, provisional, known_at, payload_id) VALUES (1, '1d', now(), 1, 1, 1, 1, false, now(), 1)`,
		`UPDATE bars SET close = 2`,
		`INSERT INTO actions (instrument_id, kind, known_at, payload_id, list) VALUES (1, 'split', now(), 1, '[]')`,
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	var kept string
	if err := db.QueryRow(t.Context(), `SELECT close::text FROM revisions`).Scan(&kept); err != nil || kept != "1" {
		t.Errorf("kept %q, %v", kept, err)
	}
	for _, statement := range []string{
		`DELETE FROM bars`, `DELETE FROM revisions`, `DELETE FROM actions`, `TRUNCATE bars`, `TRUNCATE revisions`, `TRUNCATE actions`,
	} {
		if _, err := db.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "never deleted") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if _, err := db.Exec(t.Context(), `UPDATE actions SET list = '[["2026-03-02","2"]]'`); err == nil || !strings.Contains(err.Error(), "never changed") {
		t.Errorf("a list was changed: %v", err)
	}
}

func TestKeys(t *testing.T) {
	url := database(t)
	storetest.RunKeys(t, open(t, url), func() storetest.KeyStore { return open(t, url) })
}
