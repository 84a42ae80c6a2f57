package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb/ecbtest"
)

// result is what a verb came to.
type result struct {
	status int
	lines  []map[string]any // of standard output
	stderr string
}

// verb runs the real binary to its end, in an environment of its own.
func verb(t *testing.T, env []string, args ...string) (r result) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = t.TempDir() // so that a data folder by default is made there
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r.status, r.stderr = cmd.ProcessState.ExitCode(), stderr.String()
	for line := range strings.Lines(stdout.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: a line is not JSON: %s", args, line)
		}
		r.lines = append(r.lines, v)
	}
	return r
}

// last makes sure of the status, and returns the last line.
func (r result) last(t *testing.T, status int) map[string]any {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %v %s", r.status, status, r.lines, r.stderr)
	}
	if len(r.lines) == 0 {
		t.Fatalf("no result: %s", r.stderr)
	}
	return r.lines[len(r.lines)-1]
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestVerbs goes through the life of a store by the operator's commands.
func TestVerbs(t *testing.T) {
	today := market.DateOf(time.Now())
	upstream := ecbtest.New(today-700, today)
	server := httptest.NewServer(upstream)
	defer server.Close()
	dir := t.TempDir()
	env := []string{"BOURSE_DATA_DIR=" + dir, "BOURSE_ECB_URL=" + server.URL}

	loaded := verb(t, env, "backfill").last(t, 0)
	equal(t, "trigger", loaded["trigger"], "backfill")
	equal(t, "outcome", loaded["outcome"], "ok")
	if loaded["inserted"].(float64) < 2000 {
		t.Errorf("inserted %v", loaded["inserted"])
	}
	again := verb(t, append(env, "BOURSE_FROM="+(today-600).String()), "backfill", "-source", "ecb", "-to", today.String()).last(t, 0)
	equal(t, "inserted again", again["inserted"], 0)
	equal(t, "newest", again["newest"], upstream.Newest())

	equal(t, "gaps", verb(t, env, "gaps").last(t, 0)["gaps"], 0)
	summary := verb(t, env, "verify").last(t, 0)
	equal(t, "values", summary["values"], loaded["inserted"])

	other := t.TempDir()
	replayed := verb(t, env, "replay", "-data-dir", other, "-archive-url", "file://"+filepath.Join(dir, "archive")).last(t, 0)
	equal(t, "trigger", replayed["trigger"], "replay")
	equal(t, "replayed", replayed["inserted"], loaded["inserted"])
	since := verb(t, env, "-data-dir", dir, "replay", "-since", (today+2).String()).last(t, 0)
	equal(t, "replayed of the future", since["payloads"], 0)

	harmed(t, dir)
	damaged := verb(t, env, "verify")
	summary = damaged.last(t, 3)
	equal(t, "findings", summary["findings"], 1)
	equal(t, "kind", damaged.lines[0]["kind"], "object_changed")
	if !strings.Contains(damaged.stderr, "bourse: findings in ecb: 1") {
		t.Errorf("it says %s", damaged.stderr)
	}
	equal(t, "outcome without some bytes", verb(t, env, "replay").last(t, 1)["outcome"], "needs-person")
}

// harmed flips a bit in an object of the archive.
func harmed(t *testing.T, dir string) {
	t.Helper()
	objects, err := filepath.Glob(filepath.Join(dir, "archive/ecb/objects/*/*"))
	if err != nil || len(objects) == 0 {
		t.Fatal(objects, err)
	}
	body, err := os.ReadFile(objects[0])
	if err != nil {
		t.Fatal(err)
	}
	body[len(body)/2] ^= 4
	if err := os.WriteFile(objects[0], body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestGapsAreListed: an upstream that stopped a week ago leaves days missing.
func TestGapsAreListed(t *testing.T) {
	today := market.DateOf(time.Now())
	upstream := ecbtest.New(today-700, today-10)
	upstream.Set("USD", market.TARGET.Before(today-300), "NaN")
	server := httptest.NewServer(upstream)
	defer server.Close()
	env := []string{"BOURSE_DATA_DIR=" + t.TempDir(), "BOURSE_ECB_URL=" + server.URL}
	verb(t, env, "backfill").last(t, 0)
	listed := verb(t, env, "gaps")
	summary := listed.last(t, 3)
	equal(t, "gaps", summary["gaps"], len(listed.lines)-1)
	equal(t, "the first", fmt.Sprint(listed.lines[0]["kind"], listed.lines[0]["symbol"], listed.lines[0]["raw"]), "value_heldEURUSDNaN")
	equal(t, "the second", listed.lines[1]["day"], market.TARGET.After(upstream.Newest()))
	equal(t, "newest", summary["newest"], upstream.Newest())
	if !strings.Contains(listed.stderr, fmt.Sprintf("bourse: gaps in ecb: %d", len(listed.lines)-1)) {
		t.Errorf("it says %s", listed.stderr)
	}
}

// TestVerbsRefuse: what cannot be done is said in a sentence, with status 1.
func TestVerbsRefuse(t *testing.T) {
	dir := t.TempDir()
	env := []string{"BOURSE_DATA_DIR=" + dir}
	for _, c := range []struct{ command, env, want string }{
		{"reload", "", `there is no verb "reload"`},
		{"-log-level WARN reload", "", `there is no verb "reload"`},
		{"backfill -from yesterday", "", `"yesterday" is not a date like 2006-01-02`},
		{"backfill", "BOURSE_FROM=2026-13-01", `"2026-13-01" is not a date like 2006-01-02`},
		{"backfill -from 2026-03-02 -to 2026-03-01", "", "-from 2026-03-02 is after -to 2026-03-01"},
		{"replay -since 1.1.2026", "", `"1.1.2026" is not a date`},
		{"gaps -source nasdaq", "", `there is no source "nasdaq"; there is ecb`},
		{"gaps now", "", `unexpected argument "now"`},
		{"gaps", "", "there is no store here"},
		{"verify", "", "there is no store here"},
		{"-addr :0 verify", "", "verify has no flag -addr"},
		{"verify -from 2026-01-01", "", "flag provided but not defined: -from"},
		{"backfill", "BOURSE_ECB_URL=http://127.0.0.1:1", "retry-after: no answer"},
	} {
		r := verb(t, append(env, c.env), strings.Fields(c.command)...)
		if r.status != 1 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: status %d, %s", c.command, r.status, r.stderr)
		}
	}
	for _, name := range []string{"", "backfill", "replay", "gaps", "verify"} {
		r := verb(t, nil, strings.Fields(name+" -help")...)
		if r.status != 0 || !strings.Contains(r.stderr, "Exit status") || !strings.Contains(r.stderr, "bourse "+name) {
			t.Errorf("%s -help: status %d, %s", name, r.status, r.stderr)
		}
	}
}

// TestVerbBesideAWriter: it says that someone else is writing.
func TestVerbBesideAWriter(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	defer store.Close()
	release, err := store.Lock(t.Context(), "ecb")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if r := verb(t, []string{"BOURSE_DATA_DIR=" + dir}, "replay"); r.status != 1 || !strings.Contains(r.stderr, "try again in a minute") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

// TestKilledBackfill kills a backfill at random moments; repeated to its end, it has
// everything once.
func TestKilledBackfill(t *testing.T) {
	upstream := ecbtest.New(firstDay, lastDay)
	server := httptest.NewServer(upstream)
	defer server.Close()
	env := []string{"BOURSE_ECB_URL=" + server.URL}
	began := time.Now()
	whole := verb(t, append(env, "BOURSE_DATA_DIR="+t.TempDir()), "backfill").last(t, 0)
	length := time.Since(began)
	interrupted := 0
	for range 10 {
		dir := t.TempDir()
		p := &process{t: t, cmd: exec.Command(binary, "backfill", "-data-dir", dir), lines: make(chan string, 100)}
		p.cmd.Env = append(os.Environ(), env...)
		p.run()
		p.logged("run started")
		moment := time.Duration(rand.Int64N(int64(length + length/2)))
		time.Sleep(moment) //nolint:forbidigo // the kill comes at a random moment
		p.kill()
		if ended, _ := inspect(t, dir, upstream); !ended {
			interrupted++
		}
		r := verb(t, append(env, "BOURSE_DATA_DIR="+dir), "backfill").last(t, 0)
		equal(t, "values", r["inserted"].(float64)+r["unchanged"].(float64), whole["inserted"])
		store := open(t, dir)
		compare(t, store, upstream, lastDay, true)
		store.Close()
		equal(t, "findings", verb(t, append(env, "BOURSE_DATA_DIR="+dir), "verify").last(t, 0)["findings"], 0)
		if t.Failed() {
			t.Fatalf("after a kill %s into the run", moment)
		}
	}
	t.Logf("%d of 10 kills came before the run had ended", interrupted)
	if interrupted == 0 {
		t.Error("no kill came in the middle")
	}
}

// TestProgress: whole lines, one for each step and then one a second.
func TestProgress(t *testing.T) {
	var text bytes.Buffer
	p := teller{w: &text}
	for n := range 1000 {
		p.tell(ingest.Progress{Source: "ecb", Step: "receipts", Done: n, Item: "2026-03-02 15:00:00"})
	}
	p.tell(ingest.Progress{Source: "ecb", Step: "compare", Done: 1, Total: 41, Item: "EURUSD"})
	equal(t, "told", text.String(), "ecb: receipts 0, 2026-03-02 15:00:00\necb: compare 1 of 41, EURUSD\n")
}
