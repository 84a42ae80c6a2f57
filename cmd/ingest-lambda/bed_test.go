package main_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/archive"
	"bourse/internal/ingest"
	"bourse/internal/lambdatest"
	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/source/ecb"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/storetest"

	"github.com/jackc/pgx/v5"
)

// What the tests share: the folder of binaries, one PostgreSQL with a migrated template,
// and one double of AWS. Each is made when a test needs it first.
var (
	bin       string
	bootstrap = sync.OnceValues(func() (string, error) { return build("bootstrap", ".") })
	cron      = sync.OnceValues(func() (string, error) { return build("ingest", "../ingest") })
	database  = sync.OnceValues(startDatabase)
	double    = sync.OnceValues(startAWS)

	ending sync.Mutex
	stops  []func() error
)

// atEnd has something done when all tests are.
func atEnd(stop func() error) {
	ending.Lock()
	defer ending.Unlock()
	stops = append(stops, stop)
}

const migrated = "migrated"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if bin, err = os.MkdirTemp("", "bourse-lambda-"); err != nil {
			panic(err)
		}
		for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"} {
			if err := os.Setenv(name, value); err != nil { // for what tests look at in the double of AWS
				panic(err)
			}
		}
		// Most of the time they wait, so more run at once than there are processors.
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
		code := m.Run()
		err = os.RemoveAll(bin)
		for _, stop := range stops {
			err = errors.Join(err, stop())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}())
}

// build builds a command as a release is built, and returns its path.
func build(name, command string, flags ...string) (string, error) {
	out := filepath.Join(bin, name, "bootstrap")
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}, flags...)
	cmd := exec.Command("go", append(args, command)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", command, err, text)
	}
	return out, nil
}

func startDatabase() (*pgtest.Server, error) {
	server, err := pgtest.Start("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")
	if err != nil {
		return nil, err
	}
	atEnd(server.Stop)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+migrated); err != nil {
		return nil, err
	}
	store, err := postgres.Open(ctx, server.URL(migrated))
	if err != nil {
		return nil, err
	}
	return server, errors.Join(store.Migrate(ctx), store.Close())
}

// feed is the ECB, with a door in it that can be held shut.
type feed struct {
	*ecbtest.Upstream
	url  string
	days []market.Date // that it may have in the end, up to the newest that is due by now

	mu    sync.Mutex
	page  string        // what it says in place of the history; "" for the history
	asked []string      // since it was looked at last
	shut  string        // what is not answered until the door opens
	came  chan struct{} // somebody stands before it
	open  chan struct{}
}

// The feed goes back some days, with so many currencies on each.
const (
	history    = 80
	currencies = 6
)

// newFeed has the rates of the last days but for some, which are published later.
func newFeed(t *testing.T, later int) *feed {
	t.Helper()
	src, err := ecb.New(ecb.URL)
	if err != nil {
		t.Fatal(err)
	}
	newest := src.Info().Expected(time.Now())
	days := market.TARGET.Days(newest-2*history, newest)
	f := &feed{days: days[len(days)-history:]}
	f.Upstream = ecbtest.New(f.days[0], f.days[history-1-later])
	server := httptest.NewServer(f)
	f.url = server.URL
	t.Cleanup(func() {
		f.let()
		server.Close()
	})
	return f
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Base(r.URL.Path), "eurofxref-")
	f.mu.Lock()
	f.asked = append(f.asked, name)
	came, open, page := f.came, f.open, f.page
	held := open != nil && strings.Contains(name, f.shut)
	f.mu.Unlock()
	if page != "" && strings.HasPrefix(name, "hist") {
		fmt.Fprint(w, page)
		return
	}
	if held {
		select {
		case came <- struct{}{}:
		default: // others stand there already
		}
		select {
		case <-open:
		case <-r.Context().Done():
			return
		}
	}
	f.Upstream.ServeHTTP(w, r)
}

// hold keeps requests for what has a name waiting until let is called. The channel that it
// returns tells that one is waiting.
func (f *feed) hold(name string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut, f.came, f.open = name, make(chan struct{}, 1), make(chan struct{})
	return f.came
}

func (f *feed) let() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != nil {
		close(f.open)
		f.open = nil
	}
}

// says has a page in the place of the history; "" ends that.
func (f *feed) says(page string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.page = page
}

// took returns what was asked for since it was called last.
func (f *feed) took() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := strings.Join(f.asked, " ")
	f.asked = nil
	return asked
}

// bed is what a function works with: a store, an archive, an upstream.
type bed struct {
	t     *testing.T
	store *postgres.Store
	raw   *archive.Archive
	feed  *feed
	env   map[string]string // the variables of the function
}

// newBed makes one, with settings beyond those.
func newBed(t *testing.T, settings map[string]string) *bed {
	t.Helper()
	return newBedWith(t, 0, settings)
}

// newBedWith makes one whose upstream has some days still to publish.
func newBedWith(t *testing.T, later int, settings map[string]string) *bed {
	t.Helper()
	server, err := database()
	pgtest.Need(t, err)
	b := &bed{t: t, feed: newFeed(t, later)}
	b.env = map[string]string{
		"BOURSE_DATABASE_URL":      server.URL(server.Database(t, migrated)),
		"BOURSE_ARCHIVE_URL":       "file://" + filepath.Join(t.TempDir(), "archive"),
		"BOURSE_ECB_URL":           b.feed.url,
		"BOURSE_COINBASE_PRODUCTS": "none",
		"GOMEMLIMIT":               "460MiB",
	}
	maps.Copy(b.env, settings)
	if b.store, err = postgres.Open(t.Context(), b.env["BOURSE_DATABASE_URL"]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	address := b.env["BOURSE_ARCHIVE_URL"]
	if strings.HasPrefix(address, "s3:") {
		target, err := double() // past the account's proxy
		if err != nil {
			t.Fatal(err)
		}
		address += "&endpoint=" + url.QueryEscape(target.String())
	}
	if b.raw, err = archive.Open(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.raw.Close() })
	return b
}

const functionName = "bourse-test-ingest"

// function is an environment of the function in the bed.
func (b *bed) function(wrap ...string) *lambdatest.Environment {
	b.t.Helper()
	program, err := bootstrap()
	if err != nil {
		b.t.Fatal(err)
	}
	return b.functionOf(program, wrap...)
}

func (b *bed) functionOf(program string, wrap ...string) *lambdatest.Environment {
	b.t.Helper()
	return lambdatest.New(b.t, lambdatest.Function{Name: functionName, Binary: program, Env: b.env, Wrap: wrap})
}

// check holds the store and the archive to their promises: each value leads to bytes that
// are there, and the archive gives just what is stored.
func (b *bed) check() {
	b.t.Helper()
	ctx := b.t.Context()
	storetest.Check(ctx, b.t, b.store)
	src, err := ecb.New(b.feed.url)
	if err != nil {
		b.t.Fatal(err)
	}
	in := ingest.New(ingest.Config{Store: b.store, Archive: b.raw})
	if _, err := in.Verify(ctx, src, func(f ingest.Finding) error {
		b.t.Errorf("verify: %+v", f)
		return nil
	}); err != nil {
		b.t.Error(err)
	}
}

// runs are the records of the runs, the newest first.
func (b *bed) runs() []market.Run {
	b.t.Helper()
	list, err := b.store.Runs(b.t.Context(), market.RecordQuery{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// contents are all values of the store, in words.
func (b *bed) contents() string {
	b.t.Helper()
	all, err := b.store.Instruments(b.t.Context(), market.InstrumentQuery{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	var text strings.Builder
	for _, i := range all {
		bars, err := b.store.Bars(b.t.Context(), market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Limit: 100000})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, bar := range bars {
			fmt.Fprintln(&text, i.Symbol, market.DateOf(bar.Start), bar.Close)
		}
	}
	return text.String()
}

// published are all values that the upstream has, in the same words.
func (b *bed) published() string {
	var text strings.Builder
	for _, currency := range []string{"CHF", "GBP", "HRK", "ISK", "JPY", "USD"} {
		for _, day := range b.feed.days {
			if rate := b.feed.Rate(currency, day); rate != "" && day <= b.feed.Newest() {
				value, err := market.ParseDecimal(rate)
				if err != nil {
					b.t.Fatal(err)
				}
				fmt.Fprintln(&text, "EUR"+currency, day, value)
			}
		}
	}
	return text.String()
}

// whole makes sure that the store has all that the upstream has, and nothing else.
func (b *bed) whole() {
	b.t.Helper()
	b.check()
	got, want := b.contents(), b.published()
	if got != want {
		b.t.Errorf("the store has %d values, the source %d", strings.Count(got, "\n"), strings.Count(want, "\n"))
	}
}

// keys lists the archive by the kind of what lies there.
func (b *bed) keys() (objects, receipts []string) {
	b.t.Helper()
	for key, err := range b.raw.List(b.t.Context(), "") {
		switch {
		case err != nil:
			b.t.Fatal(err)
		case strings.Contains(key, "/objects/"):
			objects = append(objects, key)
		default:
			receipts = append(receipts, key)
		}
	}
	return objects, receipts
}

// lookFor looks for a secret in all that is kept or said: the archive, the store and text.
func (b *bed) lookFor(secret string, said ...string) {
	b.t.Helper()
	for _, text := range said {
		if strings.Contains(text, secret) {
			b.t.Errorf("%q tells the secret", text)
		}
	}
	for key, err := range b.raw.List(b.t.Context(), "") {
		if err != nil {
			b.t.Fatal(err)
		}
		body, err := b.raw.Read(b.t.Context(), key)
		if err != nil {
			b.t.Fatal(err)
		}
		if bytes.Contains(body, []byte(secret)) {
			b.t.Errorf("%s has the secret", key)
		}
	}
	for _, line := range b.dump() {
		if strings.Contains(line, secret) {
			b.t.Errorf("the store has the secret: %s", line)
		}
	}
}

// terminate ends all connections to the database, and returns how many there were.
func (b *bed) terminate() (n int) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.env["BOURSE_DATABASE_URL"])
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close(b.t.Context())
	if err := conn.QueryRow(b.t.Context(), `SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// dump is every row of every table as text.
func (b *bed) dump() (lines []string) {
	b.t.Helper()
	ctx := b.t.Context()
	conn, err := pgx.Connect(ctx, b.env["BOURSE_DATABASE_URL"])
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close(ctx)
	texts := func(query string) []string {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			b.t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			b.t.Fatal(err)
		}
		return list
	}
	for _, table := range texts(`SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`) {
		lines = append(lines, texts("SELECT '"+table+" ' || t::text FROM "+table+" t")...)
	}
	return lines
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
