package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"bourse/internal/sqlite"
	"bourse/internal/storetest"
)

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open("sqlite://" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (storetest.Store, func() storetest.Store) {
		path := filepath.Join(t.TempDir(), "bourse.db")
		return open(t, path), func() storetest.Store { return open(t, path) }
	})
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	for _, u := range []string{"", "bourse.db", "postgres://localhost/bourse", "sqlite://bourse.db", "sqlite://", "sqlite:///%zz"} {
		if s, err := sqlite.Open(u); err == nil {
			t.Errorf("%q was opened: %v", u, s.Close())
		}
	}
}

func TestPingNeedsTheSchema(t *testing.T) {
	s, err := sqlite.Open("sqlite://" + filepath.Join(t.TempDir(), "bourse.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a store without a schema is ready")
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSchemaKeepsHistory shows that the schema itself keeps what a bar said,
// whatever code changes it.
func TestSchemaKeepsHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bourse.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`INSERT INTO sources VALUES ('ecb', '', '', '', 'public', 'TARGET', 0, 'UTC', NULL, 0, 0)`,
		`INSERT INTO runs (id, source, trigger, started_at) VALUES (1, 'ecb', 'manual', 0)`,
		`INSERT INTO payloads (id, run_id, source, resource, url, status, received_at, sha256, size, loaded) VALUES (1, 1, 'ecb', '', '', 200, 0, 'a', 1, 1)`,
		`INSERT INTO instruments (id, symbol, name, kind, base, quote, source, calendar, licence) VALUES (1, 'EURUSD', '', 'fx', 'EUR', 'USD', 'ecb', 'TARGET', 'public')`,
		`INSERT INTO bars VALUES (1, '1d', 0, '1', '1', '1', '1', NULL, 0, 5, 1)`,
		`UPDATE bars SET close = '2'`,
		`INSERT INTO actions VALUES (1, 'split', 0, 1, '[]')`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	var kept string
	if err := db.QueryRowContext(t.Context(), `SELECT close FROM revisions`).Scan(&kept); err != nil || kept != "1" {
		t.Errorf("kept %q, %v", kept, err)
	}
	for _, statement := range []string{`DELETE FROM bars`, `DELETE FROM revisions`, `DELETE FROM actions`} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "never deleted") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE actions SET list = '[["2026-03-02","2"]]'`); err == nil || !strings.Contains(err.Error(), "never changed") {
		t.Errorf("a list was changed: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO actions VALUES (1, 'split', 1, 1, '[["2026')`); err == nil {
		t.Error("half a list was stored")
	}
}

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bourse.db")
	storetest.RunKeys(t, open(t, path), func() storetest.KeyStore { return open(t, path) })
}
