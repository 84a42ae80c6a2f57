package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/market"
)

// internalHash is that of the payload behind the internal series.
var internalHash = market.SHA256([]byte("42.42"))

// loadInternal loads VENDOR, a series under an internal licence, with a value in
// quarantine, into the store and the archive of a fixture.
func (f *fixture) loadInternal(t *testing.T) {
	t.Helper()
	source := market.Source{Name: "vendor", Licence: market.Internal, Calendar: market.TARGET, Zone: "UTC"}
	id, err := f.store.StartRun(t.Context(), source, "manual", f.now)
	if err != nil {
		t.Fatal(err)
	}
	price, err := market.ParseDecimal("42.42")
	if err != nil {
		t.Fatal(err)
	}
	p := market.Payload{RunID: id, Source: "vendor", Resource: "r", ReceivedAt: f.now, SHA256: internalHash, Size: 5, Status: 200}
	if err := f.archive.Put(t.Context(), p, []byte("42.42")); err != nil {
		t.Fatal(err)
	}
	_, err = f.store.Load(t.Context(), market.Batch{
		Payload: p,
		Instruments: []market.Instrument{{
			Symbol: "VENDOR", Name: "A vendor's", Kind: market.Equity, Base: "VENDOR", Quote: "USD",
			Source: "vendor", Calendar: market.TARGET, Licence: market.Internal,
		}},
		Series:     []market.Series{{Symbol: "VENDOR", Interval: market.Day, Bars: []market.Bar{market.Fixing(lastDay, price)}}},
		Quarantine: []market.Quarantined{{Source: "vendor", Symbol: "VENDOR", Interval: market.Day, Start: lastDay.Time(), Raw: "42.42000", Reason: "odd"}},
	}, func(market.Counts) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) newKey(t *testing.T, sources ...string) (k market.Key, header string) {
	t.Helper()
	k, secret := market.NewKey("test", sources, f.now)
	if err := f.store.SaveKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	return k, "Bearer " + secret
}

// The ways to the values of VENDOR.
var waysIn = []string{
	"/api/v1/bars/VENDOR", "/api/v1/bars/VENDOR?format=csv", "/api/v1/bars/VENDOR?format=ndjson", "/api/v1/stats/VENDOR",
	"/api/v1/lineage/VENDOR/2026-03-18", "/api/v1/bars/VENDOR?adjustment=all", "/api/v1/quotes?symbols=VENDOR", "/api/v1/payloads/" + internalHash,
}

// Lists and streams that the values of VENDOR are left out of.
var lists = []string{"/api/v1/quotes", "/api/v1/quotes?format=csv", "/api/v1/quarantine", "/api/v1/quarantine?format=ndjson", "/api/v1/stream"}

func TestAccess(t *testing.T) {
	f := newFixture(t)
	f.loadInternal(t)
	good, vendor := f.newKey(t, "vendor")
	_, all := f.newKey(t, market.AllSources)
	_, other := f.newKey(t, "coinbase", "elsewhere")
	for range 2 { // the second time from the cache, where it may come from there
		for header, want := range map[string]int{"": 401, other: 403, vendor: 200, all: 200, "Bearer bourse_nosuch": 401, "Basic " + vendor: 401} {
			for _, target := range waysIn {
				w := f.get(target, "Authorization", header)
				if w.Code != want || strings.Contains(w.Body.String(), "42.42") != (want == 200) {
					t.Errorf("%s with %q: %d %s", target, header, w.Code, w.Body)
				}
				if cc := w.Header().Get("Cache-Control"); strings.Contains(cc, "public") {
					t.Errorf("%s with %q: Cache-Control: %s", target, header, cc)
				}
			}
		}
		for header, sees := range map[string]bool{"": false, other: false, vendor: true, all: true} {
			for _, target := range lists {
				if body := f.glance(target, header, sees); strings.Contains(body, "42.42") != sees {
					t.Errorf("%s with %q: %s", target, header, body)
				}
			}
			if w := f.get("/api/v1/bars/EURUSD", "Authorization", header); w.Code != http.StatusOK {
				t.Errorf("a public series with %q: %d", header, w.Code)
			}
		}
	}
	if err := f.store.RevokeKey(t.Context(), good.ID, f.now); err != nil {
		t.Fatal(err)
	}
	for _, target := range append(waysIn, "/api/v1/bars/EURUSD") {
		if w := f.get(target, "Authorization", vendor); w.Code != http.StatusUnauthorized {
			t.Errorf("%s with a revoked key: %d", target, w.Code)
		}
	}
}

// glance asks for a target and is gone before anything new happens. A stream is asked
// for all that was missed, until the values of VENDOR come where they have to.
func (f *fixture) glance(target, authorization string, sees bool) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if !sees && strings.HasSuffix(target, "/stream") {
		time.AfterFunc(100*time.Millisecond, cancel)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	r.Header.Set("Last-Event-ID", "0")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := &watcher{ResponseRecorder: httptest.NewRecorder()}
	if sees {
		w.found = cancel
	}
	f.api.ServeHTTP(w, r)
	return w.Body.String()
}

// watcher is an answer that calls found when it has a value of VENDOR.
type watcher struct {
	*httptest.ResponseRecorder
	found func()
}

func (w *watcher) Write(p []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(p)
	if w.found != nil && strings.Contains(w.Body.String(), "42.42") {
		w.found()
	}
	return n, err
}

// TestLimit lets a thousand clients ask with one key for two seconds.
func TestLimit(t *testing.T) {
	const clients, rate, burst = 1000, 400, 200
	f := newFixture(t)
	_, header := f.newKey(t, market.AllSources)
	limited := api.New(api.Config{Store: f.store, Archive: f.archive, Keys: f.store, Limit: api.Limit{Rate: rate, Burst: burst}})
	var passed, refused, last atomic.Int64
	began := time.Now()
	end := began.Add(2 * time.Second)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for time.Now().Before(end) {
				r := httptest.NewRequest(http.MethodGet, "/api/v1/instruments/EURUSD", nil)
				r.Header.Set("Authorization", header)
				w := httptest.NewRecorder()
				limited.ServeHTTP(w, r)
				switch {
				case w.Code == http.StatusOK:
					passed.Add(1)
					last.Store(int64(time.Since(began)))
				case w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "1":
					refused.Add(1)
				default:
					t.Errorf("%d %s", w.Code, w.Body)
					return
				}
			}
		})
	}
	wg.Wait()
	want := burst + rate*time.Duration(last.Load()).Seconds()
	t.Logf("%d passed, %.0f may, %d were refused", passed.Load(), want, refused.Load())
	if got := float64(passed.Load()); got > 1.05*want || got < 0.95*want {
		t.Errorf("%.0f requests passed, want %.0f", got, want)
	}
	// Another client is not held up.
	w := httptest.NewRecorder()
	limited.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/instruments/EURUSD", nil))
	if w.Code != http.StatusOK {
		t.Errorf("another client: %d", w.Code)
	}
}
