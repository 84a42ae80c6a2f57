package main_test

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"bourse/internal/lambdatest"
	"bourse/internal/market"
)

// What a start, a run of the ECB's newest day and the zip may come to.
const (
	mostInit  = 150 * time.Millisecond
	mostDaily = time.Second
	mostZip   = 12 << 20
)

// TestBegins measures from the start of the process to its first request for an event. What
// else the machine does makes that longer, so the median of several has to be in time, or
// that of as many again.
func TestBegins(t *testing.T) {
	b := newBed(t, map[string]string{"BOURSE_ALPHAVANTAGE_KEY": "awssecretsmanager://bourse-test/alphavantage-key"})
	var took []time.Duration
	for range 3 {
		for range 7 {
			took = append(took, b.function().Begin())
		}
		slices.Sort(took)
		if took[len(took)/2] <= mostInit {
			break
		}
	}
	t.Logf("from the start to the first request for an event: median %s of %d, %s to %s", took[len(took)/2], len(took), took[0], took[len(took)-1])
	if took[len(took)/2] > mostInit {
		t.Errorf("more than %s", mostInit)
	}
}

// limited is a command that runs a program in 512 MiB, as the function has on Lambda, where
// this machine lets us; else none.
func limited(t *testing.T) []string {
	t.Helper()
	dir := fmt.Sprintf("/sys/fs/cgroup/memory/bourse-test-%d", os.Getpid())
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Logf("no limit on memory beside GOMEMLIMIT: %v", err)
		return nil
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "memory.limit_in_bytes"), []byte(strconv.Itoa(512<<20)), 0o600); err != nil {
		t.Logf("no limit on memory beside GOMEMLIMIT: %v", err)
		return nil
	}
	return []string{"sh", "-c", `echo $$ >"$0" && exec "$1"`, filepath.Join(dir, "cgroup.procs")}
}

// TestInASecond: the run after a new day takes less than a second, from a cold start, in the
// memory that the function has.
func TestInASecond(t *testing.T) {
	wrap := limited(t)
	b := newBedWith(t, 5, nil)
	f := b.function(wrap...)
	first := f.Invoke(lambdatest.Event{Body: scheduled("ecb")})
	expect(t, "the whole history", run(t, first).Outcome, market.OK)
	var took []time.Duration
	for range 5 {
		b.feed.Publish()
		f.Shutdown()
		f.Begin() // the start is not a part of it
		r := f.Invoke(lambdatest.Event{Body: scheduled("ecb")})
		expect(t, "inserted", run(t, r).Inserted, currencies)
		took = append(took, r.Took)
	}
	slices.Sort(took)
	t.Logf("a run after a new day: median %s, %s to %s; the first, with the history: %s; resident at most %d MiB",
		took[2], took[0], took[4], first.Took, f.Memory("VmHWM")>>10)
	if took[2] > mostDaily {
		t.Errorf("more than %s", mostDaily)
	}
	b.whole()
}

// TestZip measures the package that Lambda gets: that of make lambda where it was built,
// else a build for arm64 that is packed here.
func TestZip(t *testing.T) {
	t.Parallel()
	path := "../../bin/ingest-lambda.zip"
	info, err := os.Stat(path)
	if err != nil {
		path = packed(t)
		info, err = os.Stat(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s has %.1f MiB", path, float64(info.Size())/(1<<20))
	if info.Size() > mostZip {
		t.Errorf("more than %d bytes", mostZip)
	}
}

func packed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	body, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ingest-lambda.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	w, err := z.Create("bootstrap")
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil || file.Close() != nil {
		t.Fatal(err)
	}
	return path
}
