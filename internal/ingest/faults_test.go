package ingest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/storetest"
)

// fault is what a fault of the upstream must come to.
type fault struct {
	kind    string
	outcome market.Outcome
	err     string // part of the run's error
	change  market.Counts
}

// The faults of the wire: nothing is stored, whichever file they meet. Those that may
// pass are tried again within the run.
var wireFaults = []fault{
	{kind: "status500", outcome: market.RetryAfter, err: "the source is failing (HTTP 500)"},
	{kind: "status503-retry-after", outcome: market.RetryAfter, err: "the source is failing (HTTP 503)"},
	{kind: "status429", outcome: market.RetryAfter, err: "too many requests (HTTP 429)"},
	{kind: "timeout", outcome: market.RetryAfter, err: "no answer in time"},
	{kind: "slowloris", outcome: market.RetryAfter, err: "the answer broke off"},
	{kind: "reset", outcome: market.RetryAfter, err: "the answer broke off"},
	{kind: "truncate", outcome: market.RetryAfter, err: "not "},
	{kind: "truncate-chunked", outcome: market.RetryAfter, err: "the answer broke off"},
	{kind: "wrong-length", outcome: market.RetryAfter, err: "the answer broke off"},
	{kind: "empty", outcome: market.RetryAfter, err: "an empty answer (HTTP 200)"},
	{kind: "garbage", outcome: market.RetryAfter, err: "not "},
	{kind: "wrong-encoding", outcome: market.RetryAfter, err: "not "},
	{kind: "html", outcome: market.NeedsPerson, err: "a web page in place of data (HTTP 200)"},
	{kind: "key-echo", outcome: market.NeedsPerson, err: "the source refused the request (HTTP 403)"},
	{kind: "redirect-loop", outcome: market.NeedsPerson, err: "the request was redirected astray"},
	{kind: "huge", outcome: market.NeedsPerson, err: "the answer is larger than"},
	{kind: "gzip-bomb", outcome: market.NeedsPerson, err: "the answer is larger than"},
	{kind: "na-only", outcome: market.NeedsPerson, err: "schema drift: no rate in the whole file"},
	{kind: "decimal-comma", outcome: market.NeedsPerson, err: "schema drift: "},
	{kind: "schema-drift", outcome: market.NeedsPerson, err: "schema drift: "},
}

// The faults of single values, in the file of 90 days: what is sound is loaded, what
// is not is held, nothing that is stored changes but by a revision.
var valueFaults = []fault{
	{kind: "bom", outcome: market.OK},
	{kind: "duplicate-row", outcome: market.OK},
	{kind: "future-row", outcome: market.OK, change: market.Counts{Rejected: currencies}},
	{kind: "negative-price", outcome: market.OK, change: market.Counts{Rejected: 1}},
	{kind: "zero-price", outcome: market.OK, change: market.Counts{Rejected: currencies}},
	{kind: "nan", outcome: market.OK, change: market.Counts{Rejected: 1}},
	{kind: "revision", outcome: market.OK, change: market.Counts{Revised: 1}},
	{kind: "restate", outcome: market.NeedsPerson, err: "stored values differ; nothing was loaded"},
}

// The faults meet the second year of the euro, of which the store can be copied and
// compared quickly. The clock is set back with the upstream's.
const (
	newestDay  = "2000-06-15"
	published  = newestDay + "T15:30:00Z"
	currencies = 27
)

func backThen(t *testing.T) func(*ingest.Config) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, published)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	return func(c *ingest.Config) {
		c.Now = func() time.Time { return at.Add(time.Since(began)) }
	}
}

func TestFaults(t *testing.T) {
	upstream := replaytest.Start(t, "-now", published)
	setBack := backThen(t)
	full := t.TempDir()
	loaded := newBench(t, full, upstream.ECB(), setBack)
	if run := loaded.update(); run.Outcome != market.OK {
		t.Fatalf("first load: %+v", run)
	}
	before := loaded.contents()
	if err := loaded.store.Close(); err != nil { // into one file, to be copied
		t.Fatal(err)
	}
	for _, file := range []string{"daily", "hist-90d", "hist.zip"} {
		for _, f := range wireFaults {
			t.Run(f.kind+" "+file, func(t *testing.T) {
				dir, want := copied(t, full), before
				if file == "hist.zip" { // is asked for when the store is empty
					dir, want = t.TempDir(), ""
				}
				b := newBench(t, dir, upstream.ECB(), setBack, f.patience)
				upstream.Break("ecb", f.kind, file, 0)
				run := b.update()
				upstream.Mend()
				f.expect(t, run)
				if want == "" {
					want = newestDayOnly(t, b)
				}
				if got := b.contents(); got != want {
					t.Errorf("the store has %s, had %s", got, want)
				}
				tries := map[market.Outcome]int{market.RetryAfter: 3, market.NeedsPerson: 1}[f.outcome]
				if file != "daily" {
					tries++ // the daily file, which comes first
				}
				if run.Requests != tries {
					t.Errorf("sent %d requests, want %d", run.Requests, tries)
				}
			})
		}
	}
	for _, f := range valueFaults {
		t.Run(f.kind, func(t *testing.T) {
			b := newBench(t, copied(t, full), upstream.ECB(), setBack)
			upstream.Break("ecb", f.kind, "hist-90d", 0)
			run := b.update()
			upstream.Mend()
			f.expect(t, run)
			storetest.Check(t.Context(), t, b.store)
			if got := (market.Counts{Rejected: run.Rejected, Revised: run.Revised, Inserted: run.Inserted}); got != f.change {
				t.Errorf("changed %+v, want %+v", got, f.change)
			}
			if got := b.contents(); (got == before) != (f.change.Revised == 0) {
				t.Errorf("the store has %s, had %s", got, before)
			}
			if got := market.DateOf(run.Newest).String(); got != newestDay {
				t.Errorf("the newest day is now %s", got)
			}
		})
	}
}

// TestFaultsAreComplete makes sure that the tables have every fault there is.
func TestFaultsAreComplete(t *testing.T) {
	var missing []string
	for _, kind := range replaytest.Start(t).Kinds() {
		there := func(f fault) bool { return f.kind == kind }
		// The rates of a day have no high and low.
		if kind != "high-below-low" && !slices.ContainsFunc(wireFaults, there) && !slices.ContainsFunc(valueFaults, there) {
			missing = append(missing, kind)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no table has %v", missing)
	}
}

// TestFaultsPass shows that a fault which passes within the run costs nothing.
func TestFaultsPass(t *testing.T) {
	upstream := replaytest.Start(t, "-now", published)
	setBack := backThen(t)
	for _, f := range wireFaults {
		if f.outcome != market.RetryAfter {
			continue
		}
		t.Run(f.kind, func(t *testing.T) {
			upstream.Break("ecb", f.kind, "daily", 1)
			b := newBench(t, t.TempDir(), upstream.ECB(), setBack, f.patience)
			upstream.Break("ecb", "status500", "hist", 0) // this test is about the daily file
			run := b.update()
			upstream.Mend()
			if got := newestDayOnly(t, b); got == "" || run.Inserted != currencies {
				t.Errorf("inserted %d", run.Inserted)
			}
		})
	}
}

// patience is short where the upstream lets wait for ever.
func (f fault) patience(c *ingest.Config) {
	if f.kind == "timeout" || f.kind == "slowloris" {
		c.Timeout = 200 * time.Millisecond
	}
}

func (f fault) expect(t *testing.T, run market.Run) {
	t.Helper()
	if run.Outcome != f.outcome || !strings.Contains(run.Error, f.err) || (f.err == "") != (run.Error == "") {
		t.Errorf("came to %s %q, want %s %q", run.Outcome, run.Error, f.outcome, f.err)
	}
}

// newestDayOnly makes sure that a store has one day, and returns its contents.
func newestDayOnly(t *testing.T, b *bench) string {
	t.Helper()
	have, err := b.store.Coverage(t.Context(), b.source.Info())
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(have.Days[""]) != "["+newestDay+"]" {
		t.Errorf("the store has the days %v", have.Days)
	}
	return b.contents()
}

// copied copies the store of a folder into a new one.
func copied(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join(from, "bourse.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bourse.db"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
