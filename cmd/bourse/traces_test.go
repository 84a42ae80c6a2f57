package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/source/alphavantage/alphavantagetest"
	"bourse/internal/source/ecb/ecbtest"
)

// stranger is a trace that someone outside claims to be part of, and wants sampled.
const stranger = "4bf92f3577b34da6a3ce929d0e0e4736"

// hop is a span that is to be there below the one before: by whom, its name and kind, and some
// of its attributes.
type hop struct {
	service, name, kind string
	attrs               map[string]string // a value that ends in … is how it begins
}

// TestTraces runs the parts on PostgreSQL, loads, clicks in a browser, and finds one trace from
// the click to the statement and one from the schedule to the load. No span is sent before a
// part ends, so all have been flushed, and the last too: that of a request during the drain.
func TestTraces(t *testing.T) {
	const vendorKey, password = "KEYOFTHEVENDOR1", "hunter2"
	server := pgtest.New(t)
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../...").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := newCollector(t)
	rates := httptest.NewServer(ecbtest.New(market.NewDate(2024, 1, 2), market.NewDate(2026, 3, 2)))
	defer rates.Close()
	equities := httptest.NewServer(&alphavantagetest.Upstream{Now: time.Now, Key: vendorKey, PerDay: 25})
	defer equities.Close()
	database, err := url.Parse(server.URL(server.Database(t, "")))
	if err != nil {
		t.Fatal(err)
	}
	database.User = url.UserPassword(database.User.Username(), password) // for which this server does not ask
	env := append(os.Environ(), "BOURSE_DATA_DIR="+t.TempDir(), "BOURSE_DATABASE_URL="+database.String(),
		"BOURSE_ECB_URL="+rates.URL, "BOURSE_ALPHAVANTAGE_URL="+equities.URL, "BOURSE_ALPHAVANTAGE_KEY="+vendorKey, "BOURSE_ALPHAVANTAGE_SYMBOLS=IBM",
		"BOURSE_ADDR=127.0.0.1:0", "BOURSE_ADMIN_ADDR=127.0.0.1:0", "BOURSE_DRAIN=2s",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_BSP_SCHEDULE_DELAY=3600000", "OTEL_BSP_MAX_QUEUE_SIZE=100000", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100000")
	if out, err := part(bin, "migrate", env).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v, %s", err, out)
	}
	if out, err := part(bin, "ingest", env).CombinedOutput(); err != nil {
		t.Fatalf("ingest: %v, %s", err, out)
	}
	key := verb(t, env, "key", "create", "-name", "desk").last(t, 0)["secret"].(string)

	api := startPart(t, bin, "api", env)
	api.listening()
	web := startPart(t, bin, "web", append(env, "BOURSE_API_URL="+api.url))
	web.listening()
	click(t, web.url)
	ask(t, web.url+"/api/v1/bars/EURUSD?limit=3", http.Header{"Traceparent": {"00-" + stranger + "-00f067aa0ba902b7-01"}, "Authorization": {"Bearer " + key}})
	askDuringDrain(t, web)
	api.stop()

	for name, want := range map[string][]hop{
		"from the click to the statement": {
			{"web", "GET /instruments/{symbol}", "server", map[string]string{
				"http.request.method": "GET", "http.route": "/instruments/{symbol}", "url.path": "/instruments/EURUSD", "http.response.status_code": "200"}},
			{"web", "GET", "client", map[string]string{"http.request.method": "GET", "server.address": "127.0.0.1",
				"url.full": api.url + "/api/v1/bars/EURUSD", "http.response.status_code": "200"}},
			{"api", "GET /api/v1/bars/{symbol}", "server", map[string]string{"http.route": "/api/v1/bars/{symbol}", "http.response.status_code": "200"}},
			{"api", "BATCH SELECT bars", "client", map[string]string{"db.system.name": "postgresql", "db.query.text": "SELECT id FROM instruments WHERE symbol = $1;…",
				"db.operation.batch.size": "2", "server.address": "127.0.0.1"}},
		},
		"from the schedule to the answer": {
			{"ingest", "run ecb", "internal", map[string]string{"bourse.source": "ecb", "bourse.trigger": "manual", "bourse.outcome": "ok"}},
			{"ingest", "fetch eurofxref-daily.xml", "internal", nil},
			{"ingest", "GET", "client", map[string]string{"http.request.method": "GET", "url.full": rates.URL + "/eurofxref-daily.xml", "http.response.status_code": "200"}},
		},
		"from the schedule to the archive": {
			{"ingest", "run ecb", "internal", nil}, {"ingest", "fetch eurofxref-daily.xml", "internal", nil}, {"ingest", "archive", "internal", nil},
		},
		"from the schedule to what it says": {
			{"ingest", "run ecb", "internal", nil}, {"ingest", "fetch eurofxref-daily.xml", "internal", nil}, {"ingest", "parse", "internal", nil},
		},
		"from the schedule to the load": {
			{"ingest", "run ecb", "internal", nil}, {"ingest", "fetch eurofxref-daily.xml", "internal", nil}, {"ingest", "load", "internal", nil},
			{"ingest", "INSERT payloads", "client", map[string]string{"db.system.name": "postgresql"}},
		},
		"to an upstream with a key": {
			{"ingest", "run alphavantage", "internal", nil}, {"ingest", "fetch daily/IBM", "internal", nil},
			{"ingest", "GET", "client", map[string]string{"url.full": equities.URL + "/query?function=TIME_SERIES_DAILY&…", "http.response.status_code": "200"}},
		},
		"of a stranger, from its own root": {
			{"web", "GET /api/", "server", map[string]string{"url.path": "/api/v1/bars/EURUSD"}},
			{"web", "GET", "client", nil},
			{"api", "GET /api/v1/bars/{symbol}", "server", nil},
		},
		"during the drain": {{"web", "GET /status", "server", map[string]string{"http.response.status_code": "200"}}},
	} {
		if !c.has(nil, want) {
			t.Errorf("%s: no such trace among\n%s", name, c.tree(nil, "  "))
		}
	}
	for _, secret := range []string{vendorKey, password, key} {
		if strings.Contains(c.raw.String(), secret) {
			t.Errorf("a secret is in the traces: %s", secret)
		}
	}
	linked := slices.ContainsFunc(c.all(), func(s *span) bool { return slices.Contains(s.links, stranger) })
	if within := slices.ContainsFunc(c.all(), func(s *span) bool { return s.trace == stranger }); within || !linked {
		t.Errorf("the trace of a stranger: linked %t, spans of ours in it: %t", linked, within)
	}
	documented(t, c)
}

// has reports whether there is a chain of spans, each below the one before.
func (c *collector) has(parent *span, chain []hop) bool {
	if len(chain) == 0 {
		return true
	}
	return slices.ContainsFunc(c.below(parent, chain[0].name), func(s *span) bool {
		if s.service != chain[0].service || s.kind != chain[0].kind {
			return false
		}
		for name, want := range chain[0].attrs {
			start, begins := strings.CutSuffix(want, "…")
			if got := s.attrs[name]; begins && !strings.HasPrefix(got, start) || !begins && got != want {
				return false
			}
		}
		return c.has(s, chain[1:])
	})
}

// documented fails where docs/telemetry.md does not tell of a span. There a name in braces
// stands for any word.
func documented(t *testing.T, c *collector) {
	t.Helper()
	var patterns []string
	for _, row := range table(t, "spans") {
		patterns = append(patterns, row[0])
	}
	told := map[string]bool{}
	for _, s := range c.all() {
		if operation := s.attrs["db.operation.name"]; operation != "" && strings.HasPrefix(s.name, operation) {
			continue // which is told of as SELECT *
		}
		known := slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := path.Match(pattern, strings.ReplaceAll(s.name, "/", "|"))
			return err == nil && ok
		})
		if !known && !told[s.name] {
			told[s.name] = true
			t.Errorf("docs/telemetry.md does not tell of the span %s of %s", s.name, s.service)
		}
	}
}

// click opens the dashboard and clicks on an instrument: in Chromium where there is one, else
// by the requests that this comes to.
func click(t *testing.T, url string) {
	t.Helper()
	out, err := exec.Command("node", "../../web/test/click.mjs", url).CombinedOutput()
	if err == nil && strings.Contains(string(out), "EURUSD") {
		t.Log("clicked in Chromium")
		return
	}
	t.Logf("without a browser: %v %.200s", err, out)
	for _, path := range []string{"/", "/instruments/EURUSD"} {
		if code := ask(t, url+path, nil); code != http.StatusOK {
			t.Fatalf("%s: %d", path, code)
		}
	}
}

// askDuringDrain tells the dashboard to end, asks it for a page meanwhile, and waits for the end.
func askDuringDrain(t *testing.T, web *process) {
	t.Helper()
	if err := web.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for ask(t, web.url+"/readyz", nil) != http.StatusServiceUnavailable {
	}
	if code := ask(t, web.url+"/status", nil); code != http.StatusOK {
		t.Errorf("during the drain: %d", code)
	}
	if err := web.wait(); err != nil {
		t.Error(err)
	}
}

func ask(t *testing.T, url string, header http.Header) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
