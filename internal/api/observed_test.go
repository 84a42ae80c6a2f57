package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// observe lets a handler answer one request and returns the labels that were counted
// and what was logged.
func observe(ctx context.Context, t *testing.T, h http.HandlerFunc) (route, code, logged string) {
	t.Helper()
	var log strings.Builder
	registry := prometheus.NewRegistry()
	a := &API{cfg: Config{Logger: slog.New(slog.NewJSONHandler(&log, nil)), Registerer: registry}}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/x", nil)
	r.Pattern = "/api/"
	func() {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // the very value
				t.Errorf("panic %v", v)
			}
		}()
		a.observed(h).ServeHTTP(httptest.NewRecorder(), r)
	}()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, l := range families[0].Metric[0].Label {
		labels[l.GetName()] = l.GetValue()
	}
	return labels["route"], labels["code"], log.String()
}

func TestObserved(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	a := &API{cfg: Config{Logger: slog.New(slog.DiscardHandler)}}
	fails := func(w http.ResponseWriter, r *http.Request) { a.tell(w, r, errors.New("query: canceled"), false) }
	for name, c := range map[string]struct {
		ctx  context.Context
		h    http.HandlerFunc
		code string
	}{
		"an answer":                 {t.Context(), func(http.ResponseWriter, *http.Request) {}, "200"},
		"a store that fails":        {t.Context(), fails, "503"},
		"a client that went away":   {gone, fails, "499"},
		"a panic":                   {t.Context(), func(http.ResponseWriter, *http.Request) { panic("x") }, "500"},
		"a panic within the answer": {t.Context(), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(nil); panic("x") }, "500"},
	} {
		route, code, logged := observe(c.ctx, t, c.h)
		if code != c.code || route != "none" || strings.Contains(name, "panic") != strings.Contains(logged, `"stack"`) {
			t.Errorf("%s: code %s, route %s, logged %s", name, code, route, logged)
		}
	}
}
