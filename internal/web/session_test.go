package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sent is a form that a browser sends from a page of this site, changed by headers of
// the form "Name: value".
func sent(t *testing.T, site http.Handler, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return do(site, r, headers...)
}

func do(site http.Handler, r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w
}

// visit asks for a page, with the cookie of a session where key is not empty.
func visit(site http.Handler, target, key string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if key != "" {
		headers = append(headers, "Cookie: theme=dark; bourse_key="+key)
	}
	return do(site, r, headers...)
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d\n%s", w.Code, status, w.Body)
	}
}

// cookie is the one that an answer sets, or nil.
func cookie(w *httptest.ResponseRecorder) *http.Cookie {
	for _, c := range w.Result().Cookies() {
		return c
	}
	return nil
}

func TestSignIn(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	w := sent(t, site, "/sign-in", url.Values{"key": {" " + fakeKey + "\n"}, "next": {"/instruments/ETH-USD?interval=1h"}})
	wantStatus(t, w, http.StatusSeeOther)
	if got := w.Header().Get("Location"); got != "/instruments/ETH-USD?interval=1h" {
		t.Errorf("it leads to %q", got)
	}
	c := cookie(w)
	if c == nil || c.String() != "bourse_key="+fakeKey+"; Path=/; HttpOnly; SameSite=Strict" {
		t.Fatalf("the cookie is %v", c)
	}
	wantStatus(t, visit(site, "/instruments/ETH-USD", c.Value), http.StatusOK)
}

func TestSignInOverTLS(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	c := cookie(sent(t, site, "/sign-in", url.Values{"key": {fakeKey}}, "X-Forwarded-Proto: https"))
	if c == nil || c.Name != "__Host-bourse_key" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Fatalf("the cookie is %v", c)
	}
	// One without the prefix may have been planted over plain HTTP or by a neighbour.
	wantStatus(t, visit(site, "/instruments/ETH-USD", fakeKey, "X-Forwarded-Proto: https"), http.StatusUnauthorized)
	wantStatus(t, visit(site, "/instruments/ETH-USD", "", "X-Forwarded-Proto: https", "Cookie: "+c.Name+"="+c.Value), http.StatusOK)
}

func TestSignInRefused(t *testing.T) {
	api := newFakeAPI()
	site := newTestSite(t, api)
	for _, key := range []string{"", "wrong", fakeRevoked, "two words", "a\r\nX-Header: b", "ключ", strings.Repeat("k", 129)} {
		w := sent(t, site, "/sign-in", url.Values{"key": {key}, "next": {"/status"}})
		wantStatus(t, w, http.StatusUnauthorized)
		wantText(t, w.Body.String(), "This key is not valid, or it has been revoked.", `aria-invalid="true"`, `name="next" value="/status"`)
		if cookie(w) != nil {
			t.Errorf("key %q begins a session", key)
		}
		if key != "" {
			wantNoText(t, w.Body.String(), `value="`+key)
		}
	}
	for _, r := range api.seen {
		if key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); !saneKey.MatchString(key) {
			t.Errorf("the API is asked with the key %q", key)
		}
	}
	api.busy = true
	w := sent(t, site, "/sign-in", url.Values{"key": {fakeKey}})
	wantStatus(t, w, http.StatusTooManyRequests)
	if got := w.Header().Get("Retry-After"); got != "7" {
		t.Errorf("Retry-After %q", got)
	}
	api.busy, api.down = false, true
	w = sent(t, site, "/sign-in", url.Values{"key": {fakeKey}})
	wantStatus(t, w, http.StatusServiceUnavailable)
	wantText(t, w.Body.String(), "cannot be checked just now")
	wantNoText(t, w.Body.String(), "data-refresh") // a reload would send the form again
}

func TestSignInTakesAKeyFromItsFormOnly(t *testing.T) {
	w := sent(t, newTestSite(t, newFakeAPI()), "/sign-in?key="+fakeKey, nil)
	if w.Code == http.StatusSeeOther || cookie(w) != nil {
		t.Errorf("a key in the address begins a session: status %d", w.Code)
	}
}

func TestOtherSitesCannotSendForms(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, target := range []string{"/sign-in", "/sign-out"} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Sec-Fetch-Site: ", "Origin: https://evil.example"},
		} {
			w := sent(t, site, target, url.Values{"key": {fakeKey}}, headers...)
			if w.Code != http.StatusForbidden || cookie(w) != nil {
				t.Errorf("POST %s with %v: status %d, cookie %v", target, headers, w.Code, cookie(w))
			}
		}
	}
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, next := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "\t//evil.example",
		"javascript:alert(1)", "evil.example", "", "/\n/evil.example", "http:evil.example", "/%zz", "///evil.example",
	} {
		w := sent(t, site, "/sign-in", url.Values{"key": {fakeKey}, "next": {next}})
		if got := w.Header().Get("Location"); got != "/" {
			t.Errorf("next %q leads to %q", next, got)
		}
		body := page(t, site, "/sign-in?"+url.Values{"next": {next}}.Encode(), http.StatusOK)
		wantText(t, body, `name="next" value="/"`)
	}
}

func TestSignOut(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	w := sent(t, site, "/sign-out", nil, "Cookie: bourse_key="+fakeKey)
	wantStatus(t, w, http.StatusSeeOther)
	if c := cookie(w); c == nil || c.Name != "bourse_key" || c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("the cookie is %v", c)
	}
	wantStatus(t, visit(site, "/sign-out", fakeKey), http.StatusNotFound) // a link does not sign out
}

func TestInternalPages(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, target := range []string{"/instruments/ETH-USD?interval=1h&range=1d", "/lineage/ETH-USD/2026-04-13"} {
		w := visit(site, target, "")
		wantStatus(t, w, http.StatusUnauthorized)
		escaped := strings.ReplaceAll(target, "&", "&amp;")
		wantText(t, w.Body.String(), "Sign in to see ETH-USD", `action="/sign-in" method="post"`, `name="next" value="`+escaped+`"`)
		wantNoText(t, w.Body.String(), "3,1", "Signed in")

		w = visit(site, target, fakeEmpty)
		wantStatus(t, w, http.StatusForbidden)
		wantText(t, w.Body.String(), "Your key does not open this", "Signed in")
		link := regexp.MustCompile(`href="/sign-in\?([^"]+)">Sign in with another key`).FindStringSubmatch(w.Body.String())
		if query, err := url.ParseQuery(link[1]); err != nil || query.Get("next") != target {
			t.Errorf("another key leads to %v, %v", query, err)
		}

		w = visit(site, target, fakeKey)
		wantStatus(t, w, http.StatusOK)
		wantText(t, w.Body.String(), "Signed in", `action="/sign-out" method="post"`)
	}
}

func TestLinkFromAnotherSiteSaysSo(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	w := visit(site, "/instruments/ETH-USD", "", "Sec-Fetch-Site: cross-site")
	wantText(t, w.Body.String(), "A link on another site led here", `<a href="/instruments/ETH-USD">Go on`)
	wantNoText(t, visit(site, "/instruments/ETH-USD", "", "Sec-Fetch-Site: none").Body.String(), "A link on another site")
}

func TestRevokedKeyEndsTheSession(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, target := range []string{"/", "/instruments/EURUSD", "/status", "/sign-in"} {
		w := visit(site, target, fakeRevoked)
		wantStatus(t, w, http.StatusUnauthorized)
		wantText(t, w.Body.String(), "no longer valid", `name="next" value="`+target+`"`)
		wantNoText(t, w.Body.String(), "Signed in")
		if c := cookie(w); c == nil || c.MaxAge >= 0 {
			t.Errorf("GET %s leaves the cookie: %v", target, c)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if w := do(site, r, "Authorization: Bearer "+fakeRevoked, "Cookie: bourse_key="+fakeKey); cookie(w) != nil {
		t.Error("a wrong header ends the session")
	}
}

func TestOverviewShowsWhatIsLocked(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	body := page(t, site, "/", http.StatusOK)
	wantText(t, body, `href="/sign-in?next=/instruments/ETH-USD"`, "Shares", `<a href="/instruments/AAPL">AAPL</a>`, "1 series</p>",
		`<a href="/sign-in?next=%2f">Sign in</a>`)
	body = visit(site, "/", fakeEmpty).Body.String()
	wantText(t, body, "not with your key", "Signed in")
	body = visit(site, "/", fakeKey).Body.String()
	wantNoText(t, body, "next=/instruments", "not with your key")
	if n := strings.Count(body, `class="line"`); n != 8 {
		t.Errorf("%d curves, want 8", n)
	}
}

func TestStatusShowsWhatIsLocked(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	payload := `href="/api/v1/payloads/` + fakeSHA
	body := page(t, site, "/status", http.StatusOK)
	wantText(t, body, `<a href="/sign-in?next=/status">sign in</a>`, "internal licence")
	if n := strings.Count(body, payload); n != 1 {
		t.Errorf("%d links to payloads, want 1", n)
	}
	body = visit(site, "/status", fakeKey).Body.String()
	wantNoText(t, body, "next=/status")
	if n := strings.Count(body, payload); n != 2 {
		t.Errorf("%d links to payloads, want 2", n)
	}
}

func TestPagesForAKeyAreNotStored(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	for _, c := range []struct{ key, header, want string }{
		{"", "", "no-cache"}, {fakeKey, "", "private, no-store"}, {"", "Bearer " + fakeKey, "private, no-store"},
		{fakeEmpty, "", "private, no-store"}, {fakeRevoked, "", "private, no-store"},
	} {
		r := []string{}
		if c.header != "" {
			r = append(r, "Authorization: "+c.header)
		}
		h := visit(site, "/", c.key, r...).Header()
		if got := h.Get("Cache-Control"); got != c.want {
			t.Errorf("key %q, header %q: Cache-Control %q, want %q", c.key, c.header, got, c.want)
		}
		if got := h.Get("Vary"); got != "Accept-Encoding, Authorization, Cookie" {
			t.Errorf("Vary %q", got)
		}
	}
}

// asked is what reaches the API of a request to /api/ with the cookie of a session.
func asked(t *testing.T, method string, headers ...string) (*http.Request, http.Header) {
	t.Helper()
	var seen *http.Request
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("Vary", "Accept")
		fmt.Fprint(w, "{}")
	})
	r := httptest.NewRequest(method, "/api/v1/quotes", nil)
	w := do(newTestSite(t, api), r, append([]string{"Cookie: a=b; bourse_key=" + fakeKey}, headers...)...)
	if seen.Header.Get("Cookie") != "" {
		t.Errorf("the API gets the cookie %q", seen.Header.Get("Cookie"))
	}
	if !slices.Contains(w.Header().Values("Vary"), "Cookie") {
		t.Errorf("Vary %q", w.Header().Values("Vary"))
	}
	return seen, w.Header()
}

func TestScriptsAskWithTheSession(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, site := range []string{"", "same-origin", "none"} {
			r, answer := asked(t, method, "Sec-Fetch-Site: "+site)
			if got := r.Header.Get("Authorization"); got != "Bearer "+fakeKey {
				t.Errorf("%s, site %q: Authorization %q", method, site, got)
			}
			if got := answer.Get("Cache-Control"); got != "private, no-cache" {
				t.Errorf("Cache-Control %q", got)
			}
		}
	}
	r, answer := asked(t, http.MethodGet, "Authorization: Bearer other")
	if got := r.Header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer other" {
		t.Errorf("a header of the request is replaced by %q", got)
	}
	if got := answer.Get("Cache-Control"); got != "public, max-age=3600" {
		t.Errorf("Cache-Control %q without the session", got)
	}
}

func TestSessionOnlyReads(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		if r, _ := asked(t, method); r.Header.Get("Authorization") != "" {
			t.Errorf("%s goes with the key", method)
		}
	}
	for _, site := range []string{"cross-site", "same-site"} {
		if r, _ := asked(t, http.MethodGet, "Sec-Fetch-Site: "+site); r.Header.Get("Authorization") != "" {
			t.Errorf("a %s request goes with the key", site)
		}
	}
}

func TestKeyStaysOutOfLogsAndPages(t *testing.T) {
	var log bytes.Buffer
	api := newFakeAPI()
	assets, err := loadAssets(builtAssets)
	if err != nil {
		t.Fatal(err)
	}
	site, err := newSite(Config{API: api, Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, assets)
	if err != nil {
		t.Fatal(err)
	}
	for _, down := range []bool{false, true} {
		api.down = down
		for _, target := range append(allPages, "/instruments/ETH-USD?interval=1h", "/lineage/ETH-USD/2026-04-13", "/sign-in", "/nothing") {
			wantNoText(t, visit(site, target, fakeKey).Body.String(), fakeKey)
		}
		w := sent(t, site, "/sign-in", url.Values{"key": {fakeKey}, "next": {"/"}})
		wantNoText(t, w.Body.String()+w.Header().Get("Location"), fakeKey)
	}
	if log.Len() == 0 {
		t.Error("nothing is logged of a service that is down")
	}
	wantNoText(t, log.String(), fakeKey)
}
