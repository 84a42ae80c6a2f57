package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/source/ecb"
	"bourse/internal/source/ecb/ecbtest"

	"github.com/jackc/pgx/v5"
)

const names = "api=bourse_api,ingest=bourse_ingest,migrate=bourse_migrate"

// migrate runs the command and returns its log.
func migrate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var log bytes.Buffer
	err := run(t.Context(), args, &log)
	return log.String(), err
}

// TestUsers installs as on AWS: the users once as the master, then each part as its own.
func TestUsers(t *testing.T) {
	server := pgtest.New(t, "fsync=off")
	db, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE ROLE rds_iam`, `CREATE ROLE master LOGIN CREATEROLE`, `CREATE DATABASE bourse OWNER master`,
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(t.Context(), `GRANT rds_iam TO master WITH ADMIN OPTION`); err != nil { // as rds_superuser has
		t.Fatal(err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	as := func(user string) string { return strings.Replace(server.URL("bourse"), "bourse@", user+"@", 1) }

	if _, err := migrate(t, "-database-url", as("bourse"), "-database-users", "api=bourse_api"); err == nil || !strings.Contains(err.Error(), "need a user of their own") {
		t.Errorf("users that are none: %v", err)
	}
	for range 2 { // safe to repeat
		if log, err := migrate(t, "-database-url", as("master"), "-database-users", names); err != nil || !strings.Contains(log, "the users are there") {
			t.Fatalf("as the master: %v, %s", err, log)
		}
		if log, err := migrate(t, "-database-url", as("bourse_migrate"), "-database-users", names); err != nil || !strings.Contains(log, upToDate) {
			t.Fatalf("as migrate: %v, %s", err, log)
		}
	}
	if _, err := migrate(t, "-database-url", as("bourse_ingest")); err == nil {
		t.Error("ingest migrates")
	}
	raw, err := archive.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	ingestAs(t, as("bourse_ingest"), raw)
	serveAs(t, as("bourse_api"), raw)
}

func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// ingestAs runs a source twice: all of it, and with a correction.
func ingestAs(t *testing.T, url string, raw *archive.Archive) {
	upstream := ecbtest.New(market.NewDate(2025, 1, 2), market.NewDate(2026, 3, 2))
	rates := httptest.NewServer(upstream)
	defer rates.Close()
	source, err := ecb.New(rates.URL)
	if err != nil {
		t.Fatal(err)
	}
	in := ingest.New(ingest.Config{Store: open(t, url), Archive: raw})
	first, err := in.Run(t.Context(), source, "manual")
	if err != nil || first.Outcome != market.OK || first.Inserted < 1000 {
		t.Fatalf("%+v, %v", first, err)
	}
	upstream.Set("USD", upstream.Newest(), "1.2345")
	second, err := in.Run(t.Context(), source, "manual")
	if err != nil || second.Outcome != market.OK || second.Revised != 1 {
		t.Fatalf("%+v, %v", second, err)
	}
}

// serveAs asks the API for all that it reads.
func serveAs(t *testing.T, url string, raw *archive.Archive) {
	store := open(t, url)
	server := api.New(api.Config{Store: store, Archive: raw, Keys: store})
	if err := server.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"instruments": 200, "instruments/EURUSD": 200, "bars/EURUSD": 200, "bars/EURUSD?as_of=2030-01-01T00:00:00Z": 200, "actions/EURUSD": 200,
		"quotes?symbols=EURUSD": 200, "convert?from=USD&to=JPY&amount=1": 200, "stats/EURUSD": 200, "lineage/EURUSD/2026-03-02": 200,
		"runs": 200, "quarantine": 200, "sources": 200, "payloads/" + strings.Repeat("0", 64): 404,
	} {
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/"+path, nil))
		if rec.Code != want {
			t.Errorf("%s: %d, %s", path, rec.Code, rec.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v1/runs", nil)
	r.Header.Set("Authorization", "Bearer no-key")
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, r)
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("with a key that is none: %d, %s", rec.Code, rec.Body)
	}
	if err := store.SaveKey(t.Context(), market.Key{ID: "1", Hash: "h"}); err == nil {
		t.Error("the API makes keys")
	}
}

func TestUsersOfSQLite(t *testing.T) {
	if _, err := migrate(t, "-data-dir", t.TempDir(), "-database-users", names); err == nil || !strings.Contains(err.Error(), "only PostgreSQL has users") {
		t.Errorf("got %v", err)
	}
}
