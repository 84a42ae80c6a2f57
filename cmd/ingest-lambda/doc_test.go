package main_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"bourse/internal/lambdatest"
	"bourse/internal/market"
)

var update = flag.Bool("update", false, "write docs/lambda.md and testdata/metrics.json again")

const (
	document    = "../../docs/lambda.md"
	metricsFile = "testdata/metrics.json"
)

// same compares a file with what it should be, or writes it with -update.
func same(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s says something else (go test ./cmd/ingest-lambda -run %s -update writes it):\n%s", file, t.Name(), want)
	}
}

// TestMetricsFile writes down which metrics there are, from the lines of runs of a source
// with a quota: that has all of them.
func TestMetricsFile(t *testing.T) {
	t.Parallel()
	e := newEquities(t, goodKey)
	b := newBed(t, map[string]string{
		"BOURSE_ALPHAVANTAGE_URL": e.url, "BOURSE_ALPHAVANTAGE_SYMBOLS": "IBM", "BOURSE_ALPHAVANTAGE_KEY": goodKey,
	})
	r := b.function().Invoke(lambdatest.Event{Body: scheduled("alphavantage")})
	expect(t, "outcome", run(t, r).Outcome, market.OK)
	said := read(t, r)
	if len(said.metrics) != 1 {
		t.Fatalf("%d lines of metrics", len(said.metrics))
	}
	m := said.metrics[0]
	expect(t, "quota left", m.Values["quota_left"], 25.0-4) // bars, dividends, splits, the name
	type metric struct {
		Name string `json:"name"`
		Unit string `json:"unit"`
	}
	list := struct {
		Namespace  string   `json:"namespace"`
		Dimensions []string `json:"dimensions"`
		Metrics    []metric `json:"metrics"`
	}{Namespace: m.Namespace, Dimensions: m.Dimensions}
	for _, name := range strings.Fields(m.names()) {
		list.Metrics = append(list.Metrics, metric{name, m.Units[name]})
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	same(t, metricsFile, append(text, '\n'))
}

// What differs from one test to the next, and stands in the document as it does here.
var normal = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "2026-04-13T14:05:00Z"},
	{regexp.MustCompile(`"newest":"[^"]*"`), `"newest":"2026-04-13"`},
	{regexp.MustCompile(`"Timestamp":\d+`), `"Timestamp":1776089100000`},
	{regexp.MustCompile(`("duration(_seconds)?":)[0-9.e-]+`), `${1}0.4`},
	{regexp.MustCompile(`"lag":[0-9.e-]+`), `"lag":0`},
	{regexp.MustCompile(`[0-9a-f]{64}`), "3fa9…"},
	{regexp.MustCompile(`\d{8}-0000-4000-8000-\d{12}`), "8476a536-e9f4-11e8-9739-2dfe598c3fcd"},
	{regexp.MustCompile(`"span":"[0-9a-f]{16}"`), `"span":"53995c3f42cd8ad8"`},
}

func normalised(text string) string {
	for _, n := range normal {
		text = n.pattern.ReplaceAllString(text, n.text)
	}
	return text
}

// sample is an invocation as the document shows it.
type sample struct{ Event, Answer, Log, Metrics string }

func sampleOf(event string, r lambdatest.Result) sample {
	s := sample{Event: event, Answer: normalised(string(r.Body))}
	var log, metrics []string
	for _, line := range r.Lines {
		if strings.HasPrefix(line, `{"_aws":`) {
			metrics = append(metrics, line)
		} else {
			log = append(log, line)
		}
	}
	s.Log, s.Metrics = normalised(strings.Join(log, "\n")), normalised(strings.Join(metrics, "\n"))
	return s
}

// TestDocument writes docs/lambda.md from invocations. Nothing in it that a program said
// was typed.
func TestDocument(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	f, other := b.function(), b.function()
	f.Begin()
	other.Begin()
	samples := map[string]sample{}
	members := map[string]bool{}
	show := func(name, event string, invoke func(lambdatest.Event) lambdatest.Result, timeout time.Duration) {
		r := invoke(lambdatest.Event{Body: event, Timeout: timeout, Trace: traceHeader})
		said := read(t, r)
		for _, e := range said.log {
			for member := range e {
				members[member] = true
			}
		}
		for _, m := range said.metrics {
			for member := range m.Members {
				members[member] = true
			}
		}
		samples[name] = sampleOf(event, r)
	}
	at := b.feed.hold("hist")
	first := f.Send(lambdatest.Event{Body: scheduled("ecb"), Timeout: 5 * time.Second, Trace: traceHeader})
	<-at
	show("skipped", scheduled("ecb"), other.Invoke, 0)
	show("interrupted", scheduled("ecb"), func(lambdatest.Event) lambdatest.Result { return first.Wait() }, 0)
	b.feed.let()
	show("ok", scheduled("ecb"), f.Invoke, 0)
	show("backfill", `{"source":"ecb","window":"2026-04-01/2026-04-13","reason":"mended"}`, f.Invoke, 0)
	b.feed.says("<!doctype html><title>Sorry</title>")
	show("needs-person", scheduled("ecb"), f.Invoke, 0)
	b.feed.says("")
	show("malformed", `{"source":"ecb","window":"2026-04-01","reason":"typed"}`, f.Invoke, 0)
	for _, q := range queries {
		for _, name := range unknownFields(q.Query, members) {
			t.Errorf("the query %q names %s, which no line has", q.Asks, name)
		}
	}
	page, err := template.New("").Parse(strings.NewReplacer("'''", "```", "''", "`").Replace(documentText))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	err = page.Execute(&text, map[string]any{
		"Is": samples, "S3": s3Faults, "Secrets": secretFaults, "Queries": queries,
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, document, text.Bytes())
}

// Name and the others are for the document.
func (f awsFault) Name() string            { return f.name }
func (f awsFault) Outcome() market.Outcome { return f.outcome }

// query is one of CloudWatch Logs Insights.
type query struct{ Asks, Query string }

var queries = []query{
	{"Which runs did not succeed?", `fields @timestamp, source, outcome, error, run, request
| filter msg = "run finished" and outcome != "ok"
| sort @timestamp desc
| limit 50`},
	{"What did one run do?", `fields @timestamp, level, msg, source, error
| filter request = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
| sort @timestamp asc`},
	{"How long do runs take?", `filter msg = "run finished"
| stats count(*) as runs, avg(duration_seconds) as mean, max(duration_seconds) as longest by source, outcome`},
	{"What came in each day?", `filter ispresent(rows)
| stats sum(rows) as inserted, sum(revisions) as revised, sum(quarantined) as held by bin(1d), source`},
	{"Which payloads were refused, and where do they lie?", `fields @timestamp, source, resource, sha256, status, outcome, error
| filter msg = "payload refused"
| sort @timestamp desc`},
}

var (
	quoted     = regexp.MustCompile(`"[^"]*"`)
	word       = regexp.MustCompile(`@?[A-Za-z_][A-Za-z0-9_]*`)
	alias      = regexp.MustCompile(`\bas ([A-Za-z_]\w*)`)
	insightish = strings.Fields("fields filter stats sort limit by as and or not desc asc count avg max min sum bin ispresent d h m like in")
)

// unknownFields returns the fields of a query that no line of the log has.
func unknownFields(q string, members map[string]bool) (unknown []string) {
	text := quoted.ReplaceAllString(q, "")
	named := []string{"@timestamp", "@message"}
	for _, m := range alias.FindAllStringSubmatch(text, -1) {
		named = append(named, m[1])
	}
	for _, w := range word.FindAllString(text, -1) {
		if !members[w] && !slices.Contains(named, w) && !slices.Contains(insightish, w) {
			unknown = append(unknown, w)
		}
	}
	return unknown
}

// TestUnknownFields: a query that asks for what nobody logs is found.
func TestUnknownFields(t *testing.T) {
	members := map[string]bool{"source": true, "rows": true}
	for q, want := range map[string]string{
		`fields @timestamp, source | filter source = "nosuch" | stats sum(rows) as n by bin(1d), source | sort n desc | limit 5`: "[]",
		`fields sources | filter status = "x" and @log like "y"`:                                                                 "[sources status @log]",
	} {
		if got := fmt.Sprint(unknownFields(q, members)); got != want {
			t.Errorf("%s: %s, want %s", q, got, want)
		}
	}
}
