package ingest_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/secret"
	"bourse/internal/source/alphavantage"
	"bourse/internal/source/coinbase"
	"bourse/internal/source/ecb"
	"bourse/internal/storetest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var update = flag.Bool("update", false, "write docs/faults.md again")

// matrixFile is where the matrix is written down.
const matrixFile = "../../docs/faults.md"

// key is the one that tests send. Nothing may keep it.
const key = "W0RLD5TOPSECRETK"

// upstream is a source whose faults are tried.
type upstream struct {
	name string
	// loaded is when the store is filled that incremental runs and backfills begin with,
	// now when the faults come. Both lie in the recordings.
	loaded, now string
	backfill    string // its first day
	open        func(url string) (ingest.Source, error)
}

var upstreams = []upstream{
	{
		"ecb", "2000-06-14T15:30:00Z", "2000-06-15T15:30:00Z", "2000-05-01",
		func(url string) (ingest.Source, error) { return ecb.New(url + "/stats/eurofxref") },
	},
	{
		"coinbase", "2017-09-04T09:00:20Z", "2017-09-04T15:30:20Z", "2017-09-04",
		func(url string) (ingest.Source, error) { return coinbase.New(url, []string{"BTC-USD"}) },
	},
	{
		"alphavantage", "2021-03-29T22:30:00Z", "2021-03-31T22:30:00Z", "2021-03-01",
		func(url string) (ingest.Source, error) {
			return alphavantage.New(url, secret.Open(key), []string{"AAPL", "IBM"}, alphavantage.FreeRequests)
		},
	},
}

// unhurried is a source that may be asked without a pause.
type unhurried struct{ ingest.Source }

func (s unhurried) Info() market.Source {
	info := s.Source.Info()
	info.Limits.Every = 0
	return info
}

// kindsOfRun are how a fault can be met.
var kindsOfRun = []string{"first run", "incremental", "backfill"}

// TestFaultMatrix lets every source meet every fault in every kind of run, and compares
// what they come to with docs/faults.md. Whatever the fault, the store keeps its promises,
// and no key is kept anywhere.
func TestFaultMatrix(t *testing.T) {
	if !replaytest.There() {
		t.Skip("BOURSE_TEST_REPLAY is not set: there is no replay server for this test")
	}
	var doc bytes.Buffer
	doc.WriteString(matrixHead)
	tables := make([]string, len(upstreams))
	t.Run("sources", func(t *testing.T) {
		for i, u := range upstreams {
			t.Run(u.name, func(t *testing.T) {
				t.Parallel()
				tables[i] = u.table(t)
			})
		}
	})
	for i, u := range upstreams {
		fmt.Fprintf(&doc, "\n## %s\n\n%s", u.name, tables[i])
	}
	if *update {
		if err := os.WriteFile(matrixFile, doc.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, doc.Bytes()) {
		t.Errorf("docs/faults.md says something else (go test ./internal/ingest -run TestFaultMatrix -update writes it):\n%s", doc.String())
	}
}

const matrixHead = `# What faults come to

Written by ` + "`go test ./internal/ingest -run TestFaultMatrix -update`" + `; the same test without -update fails where
this page is not what it sees. Every source meets every fault of the replay server, on all its requests, in a first run
into an empty store, in an incremental run a day or some hours after the first, and in a backfill.

A cell has the [outcome class](../ARCHITECTURE.md) of the run and what it did to the store: **+** bars and corporate
actions that are new, **~** revised, **held** in quarantine, **flagged** and loaded. Then, once the fault is over, what the
next run, when it is due, comes to, and whether the store has become what it would be without the fault: at once, or with a
run a day later. Where it **differs** then, a person or a backfill has to mend it: a first run has nothing to compare with, so
wrong values that are possible ones are believed until the trailing window of a later run, or a backfill, meets them; and a
source that changes most of what it said before is not believed at all until a person says so.
`

func (u upstream) table(t *testing.T) string {
	server := replaytest.Start(t, "-limits=false", "-now", u.now)
	src, err := u.open(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &matrix{upstream: u, server: server, source: unhurried{src}, full: t.TempDir()}
	server.SetNow(m.at(t, u.loaded))
	m.fill(t, m.full, u.loaded)
	server.SetNow(m.at(t, u.now))
	want := map[string]string{}
	for _, mode := range kindsOfRun {
		want[mode] = m.meet(t, mode, "").contents
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| fault | %s |\n|---|%s\n", strings.Join(kindsOfRun, " | "), strings.Repeat("---|", len(kindsOfRun)))
	for _, kind := range server.Kinds() {
		if kind == "high-below-low" && u.name == "ecb" {
			continue // rates have no high and low
		}
		fmt.Fprintf(&b, "| %s |", kind)
		for _, mode := range kindsOfRun {
			t.Run(kind+" "+mode, func(t *testing.T) {
				got := m.meet(t, mode, kind)
				fmt.Fprintf(&b, " %s; then %s |", got.effect, got.after(want[mode]))
			})
		}
		b.WriteString("\n")
	}
	return b.String()
}

// matrix is the faults of one upstream.
type matrix struct {
	upstream
	server *replaytest.Server
	source ingest.Source
	full   string // a folder with a store that is filled
}

func (m *matrix) at(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// met is what a fault came to.
type met struct {
	effect   string     // of the run that met it
	next     market.Run // the run after it
	contents string     // of the store then
	later    string     // and after a run a day later
}

// after tells of the runs without the fault.
func (m met) after(want string) string {
	text := string(m.next.Outcome)
	switch want {
	case m.contents:
		return text + ", whole"
	case m.later:
		return text + ", whole a day later"
	}
	return text + ", **differs**"
}

// fill makes a store at a time.
func (m *matrix) fill(t *testing.T, dir, at string) {
	t.Helper()
	b := newBenchOf(t, dir, m.source, m.clock(t, at, new(time.Duration)))
	if run := b.update(); run.Outcome != market.OK {
		t.Fatalf("first load: %+v", run)
	}
	if err := b.store.Close(); err != nil { // into one file, to be copied
		t.Fatal(err)
	}
}

// clock sets a clock that goes on from a time. It can be put forward.
func (m *matrix) clock(t *testing.T, at string, ahead *time.Duration) func(*ingest.Config) {
	t.Helper()
	began, start := time.Now(), m.at(t, at)
	return func(c *ingest.Config) { c.Now = func() time.Time { return start.Add(time.Since(began) + *ahead) } }
}

// meet lets a run of a kind meet a fault, and then another one without it.
func (m *matrix) meet(t *testing.T, mode, fault string) met {
	t.Helper()
	dir := t.TempDir()
	if mode != "first run" {
		dir = copied(t, m.full)
	}
	registry := prometheus.NewRegistry()
	var ahead time.Duration
	b := newBenchOf(t, dir, m.source, m.clock(t, m.now, &ahead), func(c *ingest.Config) {
		c.Metrics = ingest.NewMetrics(registry)
		if fault == "timeout" || fault == "slowloris" {
			c.Timeout = 500 * time.Millisecond // the runs after the fault have no more
		}
	})
	before := b.everything()
	if fault != "" {
		m.server.Break(m.name, fault, "", 0)
	}
	run := m.run(t, b, mode)
	m.server.Mend()
	storetest.Check(t.Context(), t, b.store)
	if run.Outcome != market.OK && run.Outcome != market.NeedsPerson && run.Inserted+run.Revised+run.Rejected == 0 && b.everything() != before {
		t.Errorf("the store has changed, and the run says nothing of it")
	}
	if run.Newest.After(m.at(t, m.now)) {
		t.Errorf("the newest bar is of %s", run.Newest)
	}
	out := met{effect: effect(run)}
	next, err := b.store.NextRun(t.Context(), m.name)
	if err != nil {
		t.Fatal(err)
	}
	ahead = next.Sub(m.at(t, m.now)) // the upstream's clock stays
	out.next = m.run(t, b, mode)
	storetest.Check(t.Context(), t, b.store)
	out.contents = b.everything()
	ahead += 24 * time.Hour
	m.run(t, b, mode)
	out.later = b.everything()
	b.keepsNoKey(registry)
	return out
}

func (m *matrix) run(t *testing.T, b *bench, mode string) (run market.Run) {
	t.Helper()
	var err error
	if mode == "backfill" {
		from, bad := market.ParseDate(m.backfill)
		if bad != nil {
			t.Fatal(bad)
		}
		run, err = b.Backfill(t.Context(), b.source, from, market.DateOf(m.at(t, m.now)))
	} else {
		run, err = b.Run(t.Context(), b.source, "manual")
	}
	if err != nil {
		t.Fatal(err)
	}
	b.check(run)
	return run
}

func effect(r market.Run) string {
	text := string(r.Outcome)
	for _, c := range []struct {
		n    int
		what string
	}{{r.Inserted, "+%d"}, {r.Revised, "~%d"}, {r.Rejected, "%d held"}, {r.Flagged, "%d flagged"}} {
		if c.n > 0 {
			text += ", " + fmt.Sprintf(c.what, c.n)
		}
	}
	return text
}

// everything identifies what the store has of bars and actions.
func (b *bench) everything() string {
	b.t.Helper()
	all, err := b.store.Instruments(b.t.Context(), market.InstrumentQuery{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	var text strings.Builder
	for _, i := range all {
		for _, interval := range []market.Interval{market.Day, market.Hour, market.Minute} {
			bars, err := b.store.Bars(b.t.Context(), market.BarQuery{Symbol: i.Symbol, Interval: interval, Limit: 100000})
			if err != nil {
				b.t.Fatal(err)
			}
			for _, bar := range bars {
				fmt.Fprintln(&text, i.Symbol, interval, bar.Start.Unix(), bar.Open, bar.High, bar.Low, bar.Close, bar.Volume.Decimal)
			}
		}
		lists, err := b.store.Actions(b.t.Context(), i.Symbol, time.Time{})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, l := range lists {
			fmt.Fprintln(&text, i.Symbol, l.Kind, l.Actions)
		}
	}
	return market.SHA256([]byte(text.String()))
}

// keepsNoKey looks for the key in all that is kept or shown: the store and the archive
// byte by byte, the log, the metrics, and what the API answers, problems too.
func (b *bench) keepsNoKey(registry *prometheus.Registry) {
	b.t.Helper()
	b.lookFor("the log", []byte(b.log.String()))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b.lookFor("the metrics", w.Body.Bytes())
	rest := api.New(api.Config{Store: b.store, Archive: b.archive})
	for _, target := range []string{
		"/api/v1/runs", "/api/v1/quarantine", "/api/v1/sources", "/api/v1/instruments", "/api/v1/quotes",
		"/api/v1/bars/AAPL", "/api/v1/bars/NOSUCH", "/api/v1/payloads/" + strings.Repeat("0", 64), "/api/v1/" + key[:4],
	} {
		w := httptest.NewRecorder()
		rest.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		b.lookFor(target, w.Body.Bytes())
	}
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		b.lookFor(path, body)
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
}

func (b *bench) lookFor(place string, text []byte) {
	b.t.Helper()
	var wide []byte
	for _, c := range []byte(key) {
		wide = append(wide, c, 0)
	}
	for _, form := range [][]byte{[]byte(key), wide[:len(wide)-1]} {
		// Half of the key is too much as well.
		for _, part := range [][]byte{form[:len(form)/2], form[len(form)/2:]} {
			if bytes.Contains(text, part) {
				b.t.Errorf("%s has a part of the key, %q", place, part)
			}
		}
	}
}
