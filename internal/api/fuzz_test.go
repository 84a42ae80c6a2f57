package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func FuzzBarsQuery(f *testing.F) {
	for _, seed := range []string{
		"", "limit=2&order=desc", "from=2025-01-01&to=2026-01-01&format=csv", "as_of=2026-03-18T17:01:00Z&format=ndjson", "interval=1h",
		"cursor=x", "limit=-1", "from=0001-01-01", "to=9999-12-31", "limit=%zz", "a=1;b=2", "limit=1&limit=1", "q=%00", "as_of=-1",
		"interval=1m&from=2026-01-01T00:00:00%2b23:59", "from=0000-01-01", "%ff=1", "format=", "limit=+5",
	} {
		f.Add(seed)
	}
	fix := newFixture(f)
	f.Fuzz(func(t *testing.T, query string) { fix.survives(t, "/api/v1/bars/EURUSD", query) })
}

func FuzzConvert(f *testing.F) {
	for _, seed := range []string{
		"from=EUR&to=USD", "from=JPY&to=GBP&amount=12345.67", "from=EUR&to=HRK&date=2024-02-01", "from=EUR&to=USD&amount=-1",
		"from=EUR&to=USD&amount=NaN", "from=EUR&to=JPY&amount=9999999999999999999", "from=JPY&to=USD&amount=0.0000000000000000001",
		"from=&to=", "from=EUR&to=EUR&date=0001-01-01", "from=ISK&to=ISK&amount=1234567890123456789", "from=EUR&to=USD&date=9999-12-31",
	} {
		f.Add(seed)
	}
	fix := newFixture(f)
	f.Fuzz(func(t *testing.T, query string) { fix.survives(t, "/api/v1/convert", query) })
}

// survives asks with a query as it came and checks what holds for every answer.
func (f *fixture) survives(t *testing.T, path, query string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.URL.RawQuery, r.RequestURI = query, path+"?"+query
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	if w.Code >= http.StatusInternalServerError {
		t.Fatalf("%q: %d %s", query, w.Code, w.Body)
	}
	if w.Code < http.StatusBadRequest {
		if kind := w.Header().Get("Content-Type"); kind == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: not JSON: %s", query, w.Body)
		}
		return
	}
	var p struct {
		Type, Title, Request string
		Status               int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%q: %v: %s", query, err, w.Body)
	}
	if w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Title == "" || p.Request == "" ||
		!strings.HasPrefix(p.Type, "urn:bourse:problem:") {
		t.Fatalf("%q: not a whole problem: %s", query, w.Body)
	}
	if w.Body.Len() > 1000 {
		t.Fatalf("%q: a problem of %d bytes", query, w.Body.Len())
	}
}
