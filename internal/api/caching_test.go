package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCaching(t *testing.T) {
	f := newFixture(t)
	next, err := f.store.NextRun(t.Context(), "ecb")
	if err != nil || !next.After(f.now) {
		t.Fatalf("next run at %s, now it is %s: %v", next, f.now, err)
	}
	untilNext := fmt.Sprintf("public, max-age=%d", int(next.Sub(f.now).Seconds()))
	const day, newest = "public, max-age=86400", "2026-03-18"
	for _, tt := range []struct{ target, want string }{
		// New bars don't reach what ends on or before the newest day.
		{"/api/v1/bars/EURUSD?from=2025-01-01&to=2025-02-01", day},
		{"/api/v1/bars/EURUSD?to=" + newest, day},
		{"/api/v1/stats/EURUSD?to=" + newest, day},
		{"/api/v1/bars/EURUSD?to=2026-03-19", untilNext},
		{"/api/v1/bars/EURUSD", untilNext},
		{"/api/v1/stats/EURUSD", untilNext},
		{"/api/v1/quotes?symbols=EURUSD", untilNext},
		{"/api/v1/openapi.yaml", "public, max-age=3600"},
		{"/api/v1/instruments", "no-cache"},
		{"/api/v1/instruments/EURUSD", "no-cache"},
		{"/api/v1/convert?from=EUR&to=USD", "no-cache"},
		{"/api/v1/lineage/EURUSD/" + newest, "no-cache"},
		{"/api/v1/runs", "no-cache"},
		{"/api/v1/quarantine", "no-cache"},
		{"/api/v1/sources", "no-cache"},
		{"/api/v1/bars/NOSUCH", "no-store"},
		{"/api/v1/bars/EURUSD?limit=0", "no-store"},
		// Nobody knows when this source is asked next.
		{"/api/v1/bars/BTC-USD?interval=1h", "no-cache"},
		{"/api/v1/quotes?symbols=EURUSD,BTC-USD", "no-cache"},
	} {
		if got := f.get(tt.target).Header().Get("Cache-Control"); got != tt.want {
			t.Errorf("%s: Cache-Control: %s, want %s", tt.target, got, tt.want)
		}
	}
	// A run that is overdue may come at any moment.
	f.now = next.Add(time.Minute)
	if got := f.get("/api/v1/bars/EURUSD").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("after the next run was due: Cache-Control: %s", got)
	}
}

// TestLaterPagesOfClosedRange descends from an open end: only the first page can change.
func TestLaterPagesOfClosedRange(t *testing.T) {
	f := newFixture(t)
	var first page
	f.read(t, "/api/v1/bars/EURUSD?order=desc&limit=5", &first)
	w := f.get("/api/v1/bars/EURUSD?order=desc&limit=5&cursor=" + first.Next)
	if got := w.Header().Get("Cache-Control"); got != "public, max-age=86400" {
		t.Errorf("the second page: Cache-Control: %s", got)
	}
}

// TestCacheFollowsTheStore: what is kept is never older than what is stored.
func TestCacheFollowsTheStore(t *testing.T) {
	f := newFixture(t)
	const target = "/api/v1/bars/EURUSD?order=desc&limit=1"
	kept := f.get(target)
	for range 3 {
		if again := f.get(target); again.Body.String() != kept.Body.String() || again.Header().Get("ETag") != kept.Header().Get("ETag") {
			t.Errorf("asked again: %s", again.Body)
		}
	}
	if csv := f.get(target, "Accept", "text/csv"); csv.Body.String() == kept.Body.String() {
		t.Error("another format is the same")
	}
	f.upstream.Set("USD", lastDay, "1.2345")
	f.run(t)
	if now := f.get(target); !strings.Contains(now.Body.String(), `"close":1.2345,`) || now.Header().Get("ETag") == kept.Header().Get("ETag") {
		t.Errorf("after a correction: %s", now.Body)
	}
}
