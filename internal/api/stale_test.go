package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestStoreDown takes the store away: what was asked before is answered from memory and
// marked, all else is a problem, and the API stays ready.
func TestStoreDown(t *testing.T) {
	f := newFixture(t)
	f.loadInternal(t)
	_, vendor := f.newKey(t, "vendor")
	const bars, other = "/api/v1/bars/EURUSD?limit=5", "/api/v1/bars/EURJPY?limit=5"
	if err := f.api.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := f.get(bars)
	f.get("/api/v1/bars/VENDOR", "Authorization", vendor)
	if before.Header().Get("Bourse-Stale") != "" {
		t.Error("an answer is marked while the store is there")
	}
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	stale := f.get(bars)
	if stale.Code != http.StatusOK || stale.Body.String() != before.Body.String() || stale.Header().Get("Bourse-Stale") != "true" ||
		stale.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("from memory: %d %v", stale.Code, stale.Header())
	}
	if w := f.get(other); w.Code != http.StatusServiceUnavailable || w.Header().Get("Bourse-Stale") != "" {
		t.Errorf("what was not asked: %d", w.Code)
	}
	for _, header := range []string{"", vendor} { // keys cannot be checked, so nothing internal is shown
		if w := f.get("/api/v1/bars/VENDOR", "Authorization", header); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "42.42") {
			t.Errorf("internal, with %q: %d %s", header, w.Code, w.Body)
		}
	}
	if err := f.api.Ready(t.Context()); err != nil {
		t.Errorf("it is not ready any more: %v", err)
	}
	fresh := newFixture(t)
	if err := fresh.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fresh.api.Ready(t.Context()); err == nil {
		t.Error("it is ready though it has never reached the store")
	}
}
