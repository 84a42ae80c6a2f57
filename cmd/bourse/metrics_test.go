package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/cmd/internal/wire"
	"bourse/internal/api"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/telemetry"
	"bourse/internal/web"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the table of metrics in docs/telemetry.md")

// maxSeries bounds the series of bourse itself, buckets counted, whatever it is asked.
const maxSeries = 3000

// wired is bourse in this process, wired as by serve, with one registry for all.
type wired struct {
	t        *testing.T
	registry *prometheus.Registry
	pages    http.Handler
	ingest   *ingest.Ingester
	source   ingest.Source
	status   int // what the upstream answers
}

func newWired(t *testing.T) *wired {
	t.Helper()
	w := &wired{t: t}
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	var storage config.Storage
	storage.Flags(fs)
	if err := config.Parse(fs, []string{"-data-dir", t.TempDir(), "-archive-url", "mem://"}); err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.Setup(t.Context(), "bourse", io.Discard, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	w.registry = tel.Registry
	store, err := wire.OpenStore(t.Context(), storage, tel.Registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	raw, err := wire.OpenArchive(t.Context(), storage, tel.Registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A source with a quota, of which one request is taken.
	vendor := market.Source{Name: "alphavantage", Calendar: market.XNYS, Zone: "America/New_York", Limits: market.Limits{PerDay: 25}}
	run, err := store.StartRun(t.Context(), vendor, "manual", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.FinishRun(t.Context(), market.Run{ID: run, Source: vendor.Name, Finished: time.Now(), Outcome: market.OK}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Spend(t.Context(), vendor.Name, vendor.QuotaDay(time.Now()), 25, time.Now()); err != nil {
		t.Fatal(err)
	}
	rates := ecbtest.New(market.NewDate(2024, 1, 2), market.NewDate(2026, 3, 2))
	upstream := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if w.status != 0 {
			out.WriteHeader(w.status)
			return
		}
		rates.ServeHTTP(out, r)
	}))
	t.Cleanup(upstream.Close)
	if w.source, err = ecb.New(upstream.URL); err != nil {
		t.Fatal(err)
	}
	w.ingest = ingest.New(ingest.Config{Store: store, Archive: raw, Metrics: ingest.NewMetrics(tel.Registry), Backoff: time.Nanosecond})
	rest := api.New(api.Config{Store: store, Archive: raw, Keys: store, Logger: tel.Logger, Registerer: tel.Registry})
	if w.pages, err = web.New(web.Config{API: rest, Logger: tel.Logger, Registerer: tel.Registry}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *wired) run() {
	if _, err := w.ingest.Run(w.t.Context(), w.source, "manual"); err != nil {
		w.t.Fatal(err)
	}
}

// ask sends a request that need not be one.
func (w *wired) ask(method, target string, header http.Header) {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return // the server would have refused it
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if strings.HasSuffix(u.Path, "/stream") { // which has no end
		cancel()
	}
	r := (&http.Request{Method: method, URL: u, RequestURI: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: http.NoBody, Host: "localhost", RemoteAddr: "192.0.2.1:1"}).WithContext(ctx)
	w.pages.ServeHTTP(httptest.NewRecorder(), r)
}

var routes = []string{
	"/", "/instruments/%s", "/lineage/%s/%s", "/convert?from=%s", "/status", "/sign-in", "/sign-out", "/assets/%s", "/%s", "/api/%s", "/api/v1/%s",
	"/api/v1/instruments", "/api/v1/instruments/%s", "/api/v1/bars/%s?interval=%s", "/api/v1/actions/%s", "/api/v1/quotes?symbols=%s",
	"/api/v1/convert?from=%s&to=%s", "/api/v1/stats/%s", "/api/v1/lineage/%s/%s", "/api/v1/runs?source=%s", "/api/v1/quarantine?source=%s",
	"/api/v1/sources?%s=%s", "/api/v1/payloads/%s", "/api/v1/openapi.yaml", "/api/v1/stream", "/instruments/EURUSD", "/api/v1/bars/EURUSD?format=%s",
}

// attack sends n requests, no two the same: whatever comes from outside is invented.
func (w *wired) attack(random *rand.Rand, n int) {
	word := func() string {
		return url.PathEscape(fmt.Sprintf("%c%x{%x", rune(random.IntN(0x3000)+32), random.Uint64(), random.Uint64()))
	}
	for i := range n {
		target := routes[i%len(routes)]
		for strings.Contains(target, "%s") {
			target = strings.Replace(target, "%s", word(), 1)
		}
		method := []string{"GET", "POST", "HEAD", "PUT", "X" + fmt.Sprint(random.Uint32())}[i/len(routes)%5]
		w.ask(method, target, http.Header{
			"Traceparent": {word()}, "X-Request-Id": {word()}, "Accept": {word()}, "Authorization": {"Bearer " + word()}, "Cookie": {"session=" + word()},
			"X-Forwarded-For": {word()}, "User-Agent": {word()}, "If-None-Match": {word()}, http.CanonicalHeaderKey("X-" + fmt.Sprint(random.Uint32())): {word()},
		})
		w.ask(method, target, http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}})
	}
}

// upstreams lets an upstream answer with every status that there is, and with some that there are not.
func (w *wired) upstreams() {
	for status := 200; status < 1000; status += 37 {
		w.status = status
		w.run()
	}
	w.status = 0
	w.run()
}

// series returns what a scrape gets of bourse itself, and how many series that is.
func (w *wired) series() (labels []string, n int) {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if strings.HasPrefix(f.GetName(), "bourse_") {
				labels = append(labels, fmt.Sprint(f.GetName(), m.Label))
				n++
				if h := m.GetHistogram(); h != nil {
					n += len(h.Bucket) + 2 // +Inf, sum and count for the one counted
				}
			}
		}
	}
	return labels, n
}

// TestSeriesAreBounded: thousands of requests that nobody should send, and answers that no
// upstream should give, make no more series than there are routes, statuses and sources.
func TestSeriesAreBounded(t *testing.T) {
	w := newWired(t)
	random := rand.New(rand.NewPCG(1, 2))
	w.run()
	w.attack(random, 3000)
	w.upstreams()
	w.series() // reading the store makes series too
	first, _ := w.series()
	w.attack(random, 3000)
	w.upstreams()
	second, n := w.series()
	for _, s := range second {
		if !slices.Contains(first, s) {
			t.Errorf("more of the same made a series: %s", s)
		}
	}
	if n > maxSeries {
		t.Errorf("%d series, more than %d", n, maxSeries)
	}
	t.Logf("%d series after %d hostile requests", n, 2*2*3000)
}

const document = "../../docs/telemetry.md"

var label = regexp.MustCompile(`constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

// TestMetricsAreDocumented: the table of docs/telemetry.md, which rules, dashboards and their
// tests rely on, is that of the metrics that are registered.
func TestMetricsAreDocumented(t *testing.T) {
	w := newWired(t)
	w.run()
	w.attack(rand.New(rand.NewPCG(3, 4)), len(routes))
	labels := map[string]string{}
	descs := make(chan *prometheus.Desc)
	go func() { w.registry.Describe(descs); close(descs) }()
	for d := range descs {
		text := d.String()
		name, _, _ := strings.Cut(strings.TrimPrefix(text, `Desc{fqName: "`), `"`)
		m := label.FindStringSubmatch(text)
		if !strings.HasPrefix(name, "bourse_") || m == nil {
			continue
		}
		var all []string
		for l := range strings.SplitSeq(m[1]+","+m[2], ",") {
			if l, _, _ = strings.Cut(l, "="); l != "" {
				all = append(all, "`"+l+"`")
			}
		}
		labels[name] = strings.Join(all, ", ")
	}
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var want [][]string
	for _, f := range families {
		if of, ok := labels[f.GetName()]; ok {
			want = append(want, []string{"`" + f.GetName() + "`", strings.ToLower(f.GetType().String()), of, f.GetHelp()})
			delete(labels, f.GetName())
		}
	}
	if len(labels) > 0 {
		t.Errorf("registered, and not seen in this test: %v", labels)
	}
	if *update {
		writeTable(t, "metrics", want)
	}
	got := table(t, "metrics")
	for i := range got {
		got[i][0] = "`" + got[i][0] + "`"
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("docs/telemetry.md is not what is registered: go test ./cmd/bourse -run TestMetricsAreDocumented -update\ngot  %v\nwant %v", got, want)
	}
}

// table returns the rows of a table of the document, between its marks, the name without its marks.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(text), "<!-- "+name+" -->\n")
	body, _, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		t.Fatalf("%s has no table of %s", document, name)
	}
	var rows [][]string
	for line := range strings.Lines(body) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); strings.HasPrefix(line, "| `") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			cells[0] = strings.Trim(cells[0], "`")
			rows = append(rows, cells)
		}
	}
	return rows
}

func writeTable(t *testing.T, name string, rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), "<!-- "+name+" -->\n")
	_, tail, _ := strings.Cut(rest, "<!-- end -->")
	var b strings.Builder
	b.WriteString(head + "<!-- " + name + " -->\n| metric | type | labels | what |\n|---|---|---|---|\n")
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	if err := os.WriteFile(document, []byte(b.String()+"<!-- end -->"+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}
