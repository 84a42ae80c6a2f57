package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/source/ecb/ecbtest"
)

// maxLoss is what logs, metrics and traces may take of the requests that the API can answer.
const maxLoss = 0.10

// without are the places at which a build leaves telemetry out. IDs of requests stay: answers
// have them.
var without = []struct{ file, with, without string }{
	{"internal/telemetry/requests.go", "\treturn o\n}\n", `return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(WithRequest(r.Context(), identify(w, r))))
	})
}
`},
	{"cmd/internal/wire/wire.go", `return observedStore{store, newOperations(r, "store")}, nil`, `return store, nil`},
	{"internal/postgres/server.go", "\tc.Tracer = newTracer(c)\n", "\t_ = newTracer(c)\n"},
}

// variant is a build of the API with what is in its environment.
type variant struct {
	name     string
	p        *process
	rates    []float64 // requests a second, by the clock
	capacity []float64 // and by the processor's time that the API took
}

// TestOverhead measures how many answers from memory the API gives with all telemetry, and
// without any: builds of the same sources, in turns, by wrk.
func TestOverhead(t *testing.T) {
	if os.Getenv("BOURSE_TEST_OVERHEAD") == "" {
		t.Skip("BOURSE_TEST_OVERHEAD is not set: make bench-telemetry sets it; this takes minutes")
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Fatal(err)
	}
	server := pgtest.New(t)
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../...").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	build := exec.Command("go", "build", "-overlay", overlay(t), "-o", filepath.Join(bin, "api-without"), "../api")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rates := httptest.NewServer(ecbtest.New(market.NewDate(2024, 1, 2), market.NewDate(2026, 3, 2)))
	defer rates.Close()
	env := append(os.Environ(), "BOURSE_DATA_DIR="+t.TempDir(), "BOURSE_DATABASE_URL="+server.URL(server.Database(t, "")), "BOURSE_ECB_URL="+rates.URL,
		"BOURSE_ADDR=127.0.0.1:0", "BOURSE_ADMIN_ADDR=127.0.0.1:0")
	if out, err := part(bin, "migrate", env).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v, %s", err, out)
	}
	ingestOnce(t, bin, env)
	c := newCollector(t)
	traced := func(ratio string) []string {
		return append(slices.Clone(env), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG="+ratio)
	}
	variants := []*variant{
		{name: "without", p: startPart(t, bin, "api-without", env)},
		{name: "with", p: startPart(t, bin, "api", traced("0.02"))}, // as deploy/chart/values.yaml has it
		{name: "with every trace", p: startPart(t, bin, "api", traced("1"))},
	}
	for _, v := range variants {
		v.p.listening()
	}
	const rounds = 25
	for round := range rounds + 1 {
		for _, v := range variants {
			rate, capacity := v.measure(t)
			if round > 0 { // the first one warms up
				v.rates, v.capacity = append(v.rates, rate), append(v.capacity, capacity)
			}
		}
	}
	base := variants[0]
	for _, v := range variants {
		t.Logf("%-17s %6.0f requests/s (%.3f), %6.0f for each second of its processor time (%.3f)",
			v.name, median(v.rates), v.against(base, (*variant).byClock), median(v.capacity), v.against(base, (*variant).byProcessor))
	}
	if len(c.all()) == 0 {
		t.Error("no trace came")
	}
	if ratio := variants[1].against(base, (*variant).byProcessor); ratio < 1-maxLoss {
		t.Errorf("telemetry takes %.1f %% of the requests, more than %.0f %%", 100*(1-ratio), 100*maxLoss)
	}
}

func (v *variant) byClock() []float64     { return v.rates }
func (v *variant) byProcessor() []float64 { return v.capacity }

// against is the median of the ratios to another variant in the same round: what else the
// machine does changes by the minute.
func (v *variant) against(base *variant, by func(*variant) []float64) float64 {
	ratios := slices.Clone(by(v))
	for i, b := range by(base) {
		ratios[i] /= b
	}
	return median(ratios)
}

// overlay names the file that tells go of sources without telemetry.
func overlay(t *testing.T) string {
	t.Helper()
	dir, replaced := t.TempDir(), map[string]string{}
	for i, c := range without {
		path, err := filepath.Abs(filepath.Join("../..", c.file))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || strings.Count(string(text), c.with) != 1 {
			t.Fatalf("%s is not as it was: %v", c.file, err)
		}
		replaced[path] = filepath.Join(dir, fmt.Sprint(i, ".go"))
		if err := os.WriteFile(replaced[path], []byte(strings.Replace(string(text), c.with, c.without, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

var answered = regexp.MustCompile(`(\d+) requests in .*\n(?s:.*)Requests/sec:\s+([0-9.]+)`)

// measure lets wrk ask for a second, and returns how many requests a second were answered,
// by the clock and by the processor's time that the process took.
func (v *variant) measure(t *testing.T) (rate, capacity float64) {
	t.Helper()
	began := v.p.processor()
	out, err := exec.Command("wrk", "-t1", "-c8", "-d1s", v.p.url+"/api/v1/bars/EURUSD?limit=10").CombinedOutput()
	took := v.p.processor() - began
	m := answered.FindStringSubmatch(string(out))
	if err != nil || m == nil || strings.Contains(string(out), "Non-2xx") {
		t.Fatalf("wrk: %v, %s", err, out)
	}
	n, err := strconv.ParseFloat(m[1], 64) //nolint:forbidigo // no price
	if err != nil {
		t.Fatal(err)
	}
	if rate, err = strconv.ParseFloat(m[2], 64); err != nil { //nolint:forbidigo // no price
		t.Fatal(err)
	}
	return rate, n / took.Seconds()
}

// processor returns the time of the processor that the process has taken: proc(5), stat.
func (p *process) processor() time.Duration {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skipf("no /proc: %v", err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
