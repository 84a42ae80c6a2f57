package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// observe lets a handler answer one request and returns the labels that were counted
// and what was logged.
func observe(ctx context.Context, t *testing.T, h http.HandlerFunc) (labels map[string]string, logged string) {
	t.Helper()
	var log strings.Builder
	registry := prometheus.NewRegistry()
	c := Requests{Part: "api", Logger: slog.New(slog.NewJSONHandler(&log, nil)), Registerer: registry}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/x", nil)
	r.Pattern = "/api/"
	func() {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // the very value
				t.Errorf("panic %v", v)
			}
		}()
		c.Handler(h).ServeHTTP(httptest.NewRecorder(), r)
	}()
	return series(t, registry, "bourse_http_request_duration_seconds"), log.String()
}

// series returns the labels of the first series of a metric.
func series(t *testing.T, registry *prometheus.Registry, name string) map[string]string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			labels := map[string]string{}
			for _, l := range f.Metric[0].Label {
				labels[l.GetName()] = l.GetValue()
			}
			return labels
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func TestRequests(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	fails := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) }
	breaks := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		ctx  context.Context
		h    http.HandlerFunc
		code string
	}{
		"an answer":                    {t.Context(), func(http.ResponseWriter, *http.Request) {}, "200"},
		"a store that fails":           {t.Context(), fails, "503"},
		"a client that went away":      {gone, fails, "499"},
		"a panic":                      {t.Context(), func(http.ResponseWriter, *http.Request) { panic("x") }, "500"},
		"a panic, the client went":     {gone, func(http.ResponseWriter, *http.Request) { panic("x") }, "500"},
		"a panic within the answer":    {t.Context(), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(nil); panic("x") }, "500"},
		"an answer that breaks off":    {t.Context(), breaks, "500"},
		"one that breaks off unheeded": {gone, breaks, "499"},
	} {
		labels, logged := observe(c.ctx, t, c.h)
		if labels["code"] != c.code || labels["route"] != "none" || labels["part"] != "api" {
			t.Errorf("%s: %v", name, labels)
		}
		if strings.Contains(name, "panic") != strings.Contains(logged, `"stack"`) {
			t.Errorf("%s: logged %s", name, logged)
		}
	}
}

// TestRequestsOfStrangers: a trace that comes from outside is continued by a part that only
// our own ask, and linked by one that anyone asks, which passes nothing of it on.
func TestRequestsOfStrangers(t *testing.T) {
	const traceID, forced = "4bf92f3577b34da6a3ce929d0e0e4736", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, public := range []bool{false, true} {
		for ratio, sampled := range map[float64]bool{0: false, 1: true} {
			spans := tracetest.NewSpanRecorder()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans),
				sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))))
			var passed http.Header
			var inside trace.SpanContext
			h := Requests{Part: "web", Tracer: provider, Public: public}.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				passed, inside = r.Header, trace.SpanContextFromContext(r.Context())
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Traceparent", forced)
			r.Header.Set("Tracestate", "vendor=1")
			r.Header.Set("Baggage", "user=1")
			h.ServeHTTP(httptest.NewRecorder(), r)
			if !public {
				if inside.TraceID().String() != traceID || !inside.IsSampled() {
					t.Errorf("of our own, ratio %v: in trace %s, sampled %t", ratio, inside.TraceID(), inside.IsSampled())
				}
				continue
			}
			if inside.TraceID().String() == traceID || inside.IsSampled() != sampled {
				t.Errorf("of a stranger, ratio %v: in trace %s, sampled %t", ratio, inside.TraceID(), inside.IsSampled())
			}
			if len(passed["Traceparent"])+len(passed["Tracestate"])+len(passed["Baggage"]) > 0 {
				t.Errorf("of a stranger, passed on: %v", passed)
			}
			for _, s := range spans.Ended() {
				if s.Parent().IsValid() || len(s.Links()) != 1 || s.Links()[0].SpanContext.TraceID().String() != traceID {
					t.Errorf("of a stranger: parent %v, links %v", s.Parent(), s.Links())
				}
			}
		}
	}
}

// TestRequestsSpan: the span has the name of its route, and the histogram an example of it.
func TestRequestsSpan(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	registry := prometheus.NewRegistry()
	pages, mux := http.NewServeMux(), http.NewServeMux()
	pages.HandleFunc("GET /bars/{symbol}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	pages.HandleFunc("GET /", http.NotFound)
	mux.Handle("/", pages)
	mux.HandleFunc("/api/", func(http.ResponseWriter, *http.Request) {})
	h := Requests{Part: "web", Registerer: registry, Tracer: provider, Public: true}.Handler(mux)
	for _, c := range []struct {
		method, target, name, route string
		status                      int64
	}{
		{"GET", "/bars/EURUSD?key=hunter2", "GET /bars/{symbol}", "/bars/{symbol}", 502},
		{"POST", "/api/v1/x", "POST /api/", "/api/", 200},
		{"GET", "/nowhere", "GET", "", 404},
		{"BREW", "/nowhere", "_OTHER", "", 405},
	} {
		spans.Reset()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), c.method, c.target, nil))
		span := spans.Ended()[0]
		got := map[attribute.Key]attribute.Value{}
		for _, a := range span.Attributes() {
			got[a.Key] = a.Value
			if strings.Contains(a.Value.String(), "hunter2") {
				t.Errorf("a secret in %s", a.Key)
			}
		}
		route := got["http.route"]
		if span.Name() != c.name || route.AsString() != c.route || got["http.response.status_code"].AsInt64() != c.status ||
			span.SpanKind() != trace.SpanKindServer {
			t.Errorf("%s %s: %s %v", c.method, c.target, span.Name(), span.Attributes())
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, f := range families {
		for _, m := range f.Metric {
			for _, b := range m.GetHistogram().GetBucket() {
				if b.GetExemplar() != nil {
					examples++
				}
			}
		}
	}
	if examples == 0 {
		t.Error("no bucket has an example")
	}
}

func TestRequestID(t *testing.T) {
	var passed, inside string
	h := Requests{Part: "web"}.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		passed, inside = r.Header.Get("X-Request-Id"), Request(r.Context())
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	for given, kept := range map[string]bool{"abc-1": true, "": false, "a b": false, strings.Repeat("x", 65): false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if given != "" {
			r.Header.Set("X-Request-Id", given)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		told := w.Header().Get("X-Request-Id")
		if (told == given) != kept || told == "" || told != passed || told != inside {
			t.Errorf("%q: told %q, passed on %q, in the context %q", given, told, passed, inside)
		}
	}
}
