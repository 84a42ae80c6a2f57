package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/promtest"
	"bourse/internal/source/alphavantage/alphavantagetest"
	"bourse/internal/source/coinbase/coinbasetest"
	"bourse/internal/source/ecb/ecbtest"
)

// TestDashboards has a Prometheus read a process that does what it is there for, and asks it all that the dashboards ask:
// on a laptop all that is about bourse has an answer, and in a cluster, of which the metrics are invented, everything.
func TestDashboards(t *testing.T) {
	promtest.Need(t)
	since, admin := time.Now(), promtest.FreeAddress(t)
	rules := absolute(t, "../../deploy/chart/rules/*.yaml")
	laptop := newPrometheus(t, fmt.Sprintf(`
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [%q]
scrape_configs:
  - { job_name: bourse-api-pods, static_configs: [{ targets: [%q] }] }
`, rules, admin))
	cluster := newPrometheus(t, fmt.Sprintf(`
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [%q, alert.yaml]
scrape_configs:
  - job_name: bourse-api-pods
    static_configs: [{ targets: [%q], labels: { namespace: markets, pod: bourse-api-5d8f-x2x9p, container: api } }]
  - { job_name: kube, honor_labels: true, static_configs: [{ targets: [%q] }] }
`, rules, admin, inventedCluster(t)))
	working(t, admin) // when they read already: what is there from the first reading on has no rate

	queries := dashboardQueries(t)
	foreign := regexp.MustCompile(`\b(kube_|container_|ALERTS)`)
	asked := 0
	for _, q := range queries {
		if !foreign.MatchString(q.expr) {
			asked++
			laptop.answers(t, q, ".*", since)
		}
		cluster.answers(t, q, "markets", since)
	}
	laptop.hasExemplars(t, since)
	t.Logf("%d queries of a cluster have answers, %d of them on a laptop too", len(queries), asked)
	if asked < 60 || len(queries)-asked < 20 {
		t.Errorf("these are too few")
	}
}

// working starts a process with a run of each source, and with readers for as long as the test lasts.
func working(t *testing.T, admin string) {
	t.Helper()
	now := time.Now()
	rates := httptest.NewServer(ecbtest.New(firstDay, lastDay))
	t.Cleanup(rates.Close)
	candles := httptest.NewServer(coinbasetest.New(now.AddDate(0, 0, -30), now, "BTC-USD"))
	t.Cleanup(candles.Close)
	equities := httptest.NewServer(&alphavantagetest.Upstream{Now: time.Now, Key: "KEYOFTHEVENDOR", PerDay: 25})
	t.Cleanup(equities.Close)
	p := start(t, t.TempDir(), rates.URL,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", // nobody takes them: there are traces
		"BOURSE_ADMIN_ADDR="+admin, "BOURSE_COINBASE_URL="+candles.URL, "BOURSE_COINBASE_PRODUCTS=BTC-USD",
		"BOURSE_ALPHAVANTAGE_URL="+equities.URL, "BOURSE_ALPHAVANTAGE_KEY=KEYOFTHEVENDOR", "BOURSE_ALPHAVANTAGE_SYMBOLS=IBM")
	p.listening()
	go func() {
		for t.Context().Err() == nil {
			for _, path := range []string{"/", "/instruments/EURUSD", "/api/v1/instruments", "/api/v1/bars/EURUSD", "/api/v1/none"} {
				if resp, err := http.Get(p.url + path); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
			pause(t)
		}
	}()
}

// pause lets Prometheus read again.
func pause(t *testing.T) {
	select {
	case <-time.After(300 * time.Millisecond):
	case <-t.Context().Done():
	}
}

// monitor is a Prometheus that runs.
type monitor struct{ url string }

func newPrometheus(t *testing.T, config string) *monitor {
	t.Helper()
	alert := `groups: [{ name: test, rules: [{ alert: BourseTest, expr: vector(1), labels: { severity: warning } }] }]`
	return &monitor{promtest.Start(t, map[string]string{"prometheus.yaml": config, "alert.yaml": alert}, "--enable-feature=exemplar-storage").URL}
}

// sparse is what happens once in the time of the test: it has no rate.
var sparse = regexp.MustCompile(`bourse_(ingest|archive|upstream)_`)

// answers waits until a query has values within the time since the test began.
func (p *monitor) answers(t *testing.T, q dashboardQuery, namespace string, since time.Time) {
	t.Helper()
	expr := strings.NewReplacer("$__rate_interval", "5s", "$__interval", "1s", "$__range", "60s", "$namespace", namespace, "$part", ".*", "$source", ".*").Replace(q.expr)
	var last string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		var values int
		if values, last = p.ask(t, expr, since, sparse.MatchString(expr)); values > 0 {
			return
		}
		pause(t)
	}
	t.Errorf("%s has no value for %s: %s", p.url, q.what, last)
}

// ask returns how many values a query has since a time, and the answer as it is. Of what happens once in the test's time
// there is no rate: then a value may be none.
func (p *monitor) ask(t *testing.T, expr string, since time.Time, once bool) (int, string) {
	t.Helper()
	form := url.Values{"query": {expr}, "start": {since.UTC().Format(time.RFC3339)}, "end": {time.Now().Add(time.Second).UTC().Format(time.RFC3339)}, "step": {"1s"}}
	resp, err := http.PostForm(p.url+"/api/v1/query_range", form)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	if err != nil || json.Unmarshal(text, &answer) != nil {
		return 0, string(text)
	}
	values := 0
	for _, series := range answer.Data.Result {
		for _, v := range series.Values {
			if once || v[1] != "NaN" {
				values++
			}
		}
	}
	return values, string(text)
}

// hasExemplars waits for one request with its trace among those that the heat map shows.
func (p *monitor) hasExemplars(t *testing.T, since time.Time) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); pause(t) {
		form := url.Values{"query": {"bourse_http_request_duration_seconds_bucket"}, "start": {since.UTC().Format(time.RFC3339)}, "end": {time.Now().UTC().Format(time.RFC3339)}}
		resp, err := http.PostForm(p.url+"/api/v1/query_exemplars", form)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if last = string(text); err == nil && strings.Contains(last, `"trace_id"`) {
			return
		}
	}
	t.Errorf("no request has a trace: %.300s", last)
}

// dashboardQuery is one of a panel, or of what is marked on the time axis.
type dashboardQuery struct{ what, expr string }

func dashboardQueries(t *testing.T) (all []dashboardQuery) {
	t.Helper()
	paths, err := filepath.Glob("../../deploy/chart/dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no dashboards", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
			Annotations struct {
				List []struct{ Name, Expr string }
			}
		}
		if err == nil {
			err = json.Unmarshal(text, &board)
		}
		if err != nil {
			t.Fatal(path, err)
		}
		for _, panel := range board.Panels {
			for _, target := range panel.Targets {
				all = append(all, dashboardQuery{filepath.Base(path) + ", " + panel.Title + ": " + target.Expr, target.Expr})
			}
		}
		for _, mark := range board.Annotations.List {
			q := dashboardQuery{"the mark " + mark.Name + ": " + mark.Expr, mark.Expr}
			if !slices.Contains(all, q) {
				all = append(all, q)
			}
		}
	}
	return all
}

// inventedCluster serves what kube-state-metrics and cAdvisor would say of a cluster in which something happens: with each
// reading the autoscaler wants another number of replicas, and containers restart; after some a pod is evicted and a node lost.
func inventedCluster(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/cluster.prom")
	if err != nil {
		t.Fatal(err)
	}
	var readings atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := readings.Add(1)
		later := fmt.Sprint(min(n/5, 1)) // 0 in the first readings
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = strings.NewReplacer("READING", fmt.Sprint(n), "LATER", later, "NOW", fmt.Sprint(time.Now().Unix())).WriteString(w, string(text))
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
