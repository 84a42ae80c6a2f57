package web

import (
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// builtAssets stands in for a build, so that pages are tested without one.
var builtAssets = fstest.MapFS{
	"dist/manifest.json": {Data: []byte(`{
		"entries": {"page.js": "page-A.js", "overview.js": "overview-A.js", "instrument.js": "instrument-A.js",
			"convert.js": "convert-A.js", "status.js": "status-A.js", "style.css": "style-A.css", "favicon.svg": "favicon-A.svg"},
		"files": ["page-A.js", "style-A.css", "favicon-A.svg"]}`)},
	"dist/page-A.js":     {Data: []byte("export {};")},
	"dist/style-A.css":   {Data: []byte("body { margin: 0 }")},
	"dist/favicon-A.svg": {Data: []byte("<svg/>")},
}

func newTestSite(t *testing.T, api http.Handler) http.Handler {
	t.Helper()
	assets, err := loadAssets(builtAssets)
	if err != nil {
		t.Fatal(err)
	}
	site, err := newSite(Config{API: api, Logger: slog.New(slog.DiscardHandler)}, assets)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// page asks for target and wants the status.
func page(t *testing.T, site http.Handler, target string, status int) string {
	t.Helper()
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	if w.Code != status {
		t.Fatalf("GET %s: status %d, want %d\n%s", target, w.Code, status, w.Body)
	}
	return w.Body.String()
}

func wantText(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
}

func wantNoText(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(body, text) {
			t.Errorf("the page says %q:\n%s", text, body)
		}
	}
}

// allPages are one of each kind that shows numbers.
var allPages = []string{
	"/", "/instruments/EURUSD", "/instruments/BTC-USD?range=3m", "/instruments/EURHRK",
	"/lineage/EURUSD/2026-04-13", "/convert?from=USD&to=JPY&amount=100", "/status",
}

func TestNewBuilt(t *testing.T) {
	site, err := New(Config{API: newFakeAPI()})
	if errors.Is(err, errNotBuilt) {
		t.Skip("the assets are not built (npm run build in web/)")
	} else if err != nil {
		t.Fatal(err)
	}
	for _, target := range allPages {
		page(t, site, target, http.StatusOK)
	}
}

func TestNewNotBuilt(t *testing.T) {
	if _, err := loadAssets(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "npm run build") {
		t.Errorf("error %v does not say what to do", err)
	}
}

func TestPagesCarryTheirSourceAndHeaders(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, target := range append(allPages, "/nothing-here") {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("X-Forwarded-Proto", "https")
		site.ServeHTTP(w, r)
		h := w.Result().Header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
			strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: Content-Security-Policy %q", target, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy":            "strict-origin-when-cross-origin",
			"Cache-Control":              "no-cache",
			"Content-Type":               "text/html; charset=utf-8",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("GET %s: %s %q, want %q", target, name, got, want)
			}
		}
		body := w.Body.String()
		wantNoText(t, body, " style=", "<style", "<script>", "SIMULATED", "onclick", "ZgotmplZ")
		if target != "/nothing-here" {
			wantText(t, body, "Source: European Central Bank.")
		}
	}
}

func TestSimulatedNumbersAreMarkedOnEveryPage(t *testing.T) {
	api := newFakeAPI()
	api.simulated = true
	site := newTestSite(t, api)
	for _, target := range allPages {
		wantText(t, page(t, site, target, http.StatusOK), "<title>SIMULATED: ",
			"<strong>SIMULATED:</strong> no source has answered yet; these numbers are invented")
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	api := newFakeAPI()
	for _, s := range api.series {
		s.instrument["name"] = `<script>alert("name")</script>`
	}
	api.sources[0]["title"] = `"><img src=x onerror=alert(1)>`
	api.sources[0]["homepage"] = "javascript:alert(2)"
	site := newTestSite(t, api)
	for _, target := range append(allPages, `/convert?amount=<script>alert(3)</script>&from="><b>&date="onfocus=x`) {
		body := page(t, site, strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E").Replace(target), http.StatusOK)
		wantNoText(t, body, "<script>alert", "<img src=x", `href="javascript:`, "<b>", `value=""onfocus`)
	}
}

func TestNotFound(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, target := range []string{"/nothing-here", "/instruments/", "/instruments/EURXXX", "/instruments/..%2Fruns", "/lineage/EURXXX/2026-04-13"} {
		wantText(t, page(t, site, target, http.StatusNotFound), "There is no such page", `href="/"`)
	}
}

func TestOnlyGet(t *testing.T) {
	w := httptest.NewRecorder()
	newTestSite(t, newFakeAPI()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /: status %d", w.Code)
	}
}

func TestServiceIsDown(t *testing.T) {
	api := newFakeAPI()
	api.down = true
	site := newTestSite(t, api)
	for _, target := range allPages {
		body := page(t, site, target, http.StatusServiceUnavailable)
		wantText(t, body, "The data cannot be reached", "data-refresh")
		wantNoText(t, body, "10.0.0.7")
	}
}

func TestTooManyRequests(t *testing.T) {
	api := newFakeAPI()
	api.busy = true
	w := httptest.NewRecorder()
	newTestSite(t, api).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got := w.Header().Get("Retry-After"); w.Code != http.StatusTooManyRequests || got != "7" {
		t.Errorf("status %d, Retry-After %q", w.Code, got)
	}
	wantText(t, w.Body.String(), "Wait a moment, then try again.")
}

func TestAnswerThatIsCutOff(t *testing.T) {
	cut := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	page(t, newTestSite(t, cut), "/", http.StatusServiceUnavailable)
}

func TestRequestsToTheAPISayWhoAsks(t *testing.T) {
	api := newFakeAPI()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Request-Id", "abc-1")
	r.RemoteAddr = "192.0.2.7:4711"
	// What the client wrote, and what the proxy in front of us saw.
	r.Header["X-Forwarded-For"] = []string{"203.0.113.9", "198.51.100.4"}
	newTestSite(t, api).ServeHTTP(httptest.NewRecorder(), r)
	for _, seen := range api.seen {
		if seen.Header.Get("X-Request-Id") != "abc-1" || seen.RemoteAddr != r.RemoteAddr || seen.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%s: from %s with %v", seen.URL, seen.RemoteAddr, seen.Header)
		}
		if got := seen.Header.Values("X-Forwarded-For"); len(got) != 2 || got[1] != "198.51.100.4" {
			t.Errorf("%s: X-Forwarded-For %q", seen.URL, got)
		}
	}
}

func TestAPIStreamsThrough(t *testing.T) {
	server := httptest.NewServer(newTestSite(t, newFakeAPI()))
	defer server.Close()
	// The fake sends its headers and then nothing for ever: without a flush this hangs.
	response, err := http.Get(server.URL + "/api/v1/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
}

func TestPagesAreCompressed(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "br, gzip")
	w := httptest.NewRecorder()
	newTestSite(t, newFakeAPI()).ServeHTTP(w, r)
	zr, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, string(body), "EURUSD", "</html>")
}

func TestAssets(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	get := func(target, encoding string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w.Result()
	}
	for name, contentType := range map[string]string{
		"page-A.js": "text/javascript; charset=utf-8", "style-A.css": "text/css; charset=utf-8", "favicon-A.svg": "image/svg+xml",
	} {
		h := get("/assets/"+name, "").Header
		if h.Get("Content-Type") != contentType || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: headers %v", name, h)
		}
	}
	if packed := get("/assets/page-A.js", "gzip"); packed.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("not compressed: %v", packed.Header)
	}
	plain, err := io.ReadAll(get("/assets/page-A.js", "").Body)
	if err != nil || string(plain) != "export {};" {
		t.Errorf("content %q, %v", plain, err)
	}
	if missing := get("/assets/page-B.js", ""); missing.StatusCode != http.StatusNotFound || missing.Header.Get("Cache-Control") != "" {
		t.Errorf("missing: %d %v", missing.StatusCode, missing.Header)
	}
}
