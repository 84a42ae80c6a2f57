package ingest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/archive"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb"
	"bourse/internal/sqlite"
)

// bench is an ingester with a real store and a real archive in a folder of its own.
type bench struct {
	*ingest.Ingester
	t       *testing.T
	dir     string
	store   *sqlite.Store
	archive *archive.Archive
	source  ingest.Source
	log     *logbook
}

// newBench works in dir with the ECB at base. The configuration can be changed before
// the ingester is made.
func newBench(t *testing.T, dir, base string, change ...func(*ingest.Config)) *bench {
	t.Helper()
	src, err := ecb.New(base)
	if err != nil {
		t.Fatal(err)
	}
	return newBenchOf(t, dir, src, change...)
}

// newBenchOf works in dir with a source.
func newBenchOf(t *testing.T, dir string, src ingest.Source, change ...func(*ingest.Config)) *bench {
	t.Helper()
	b := &bench{t: t, dir: dir, source: src, log: &logbook{}}
	var err error
	if b.store, err = sqlite.Open("sqlite://" + filepath.Join(dir, "bourse.db")); err != nil {
		t.Fatal(err)
	}
	if b.archive, err = archive.Open(t.Context(), "file://"+filepath.Join(dir, "archive")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
		if err := b.archive.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg := ingest.Config{
		Store: b.store, Archive: b.archive, Logger: slog.New(slog.NewJSONHandler(b.log, nil)),
		Timeout: 20 * time.Second, Backoff: time.Millisecond,
	}
	for _, f := range change {
		f(&cfg)
	}
	b.Ingester = ingest.New(cfg)
	return b
}

// update runs once and checks the record of it.
func (b *bench) update() market.Run {
	b.t.Helper()
	run, err := b.Run(b.t.Context(), b.source, "manual")
	if err != nil {
		b.t.Fatal(err)
	}
	b.check(run)
	return run
}

// check makes sure that the record of a run can be read back and that the log has a
// line of it.
func (b *bench) check(run market.Run) {
	b.t.Helper()
	runs, err := b.store.Runs(b.t.Context(), market.RecordQuery{Limit: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(runs) != 1 || runs[0].ID != run.ID || runs[0].Outcome != run.Outcome || runs[0].Error != run.Error || runs[0].Counts != run.Counts {
		b.t.Errorf("the record is %+v, the run was %+v", runs, run)
	}
	line := fmt.Sprintf(`"run":%d,"outcome":%q`, run.ID, run.Outcome)
	if !strings.Contains(b.log.String(), line) {
		b.t.Errorf("the log has no line with %s", line)
	}
}

// contents identifies all values of the store.
func (b *bench) contents() string {
	b.t.Helper()
	return contents(b.t.Context(), b.t, b.store)
}

func contents(ctx context.Context, t *testing.T, store *sqlite.Store) string {
	t.Helper()
	all, err := store.Instruments(ctx, market.InstrumentQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	h, n := sha256.New(), 0
	for _, i := range all {
		bars, err := store.Bars(ctx, market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Limit: 100000})
		if err != nil {
			t.Fatal(err)
		}
		n += len(bars)
		for _, bar := range bars {
			fmt.Fprintln(h, i.Symbol, bar.Start.Unix(), bar.Close)
		}
	}
	return fmt.Sprintf("%d bars %x", n, h.Sum(nil)[:8])
}

// logbook keeps what is logged.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
