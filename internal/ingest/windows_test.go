package ingest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/coinbase"
	"bourse/internal/source/coinbase/coinbasetest"
)

// TestFailedWindowLeavesNoHole lets a window in the middle of the hours fail. What comes
// after it is not loaded, since nothing would ask for the hole again; other series are.
func TestFailedWindowLeavesNoHole(t *testing.T) {
	now := time.Date(2018, 4, 5, 15, 30, 20, 0, time.UTC)
	upstream := coinbasetest.New(now.AddDate(0, 0, -60), now, "BTC-USD")
	hours, broken := 0, true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("granularity") == "3600" {
			if hours++; hours == 2 && broken {
				fmt.Fprint(w, `[{"start":"1"}]`)
				return
			}
		}
		upstream.ServeHTTP(w, r)
	}))
	defer server.Close()
	src, err := coinbase.New(server.URL, []string{"BTC-USD"})
	if err != nil {
		t.Fatal(err)
	}
	b := newBenchOf(t, t.TempDir(), unhurried{src}, func(c *ingest.Config) { c.Now = func() time.Time { return now } })
	expect(t, "outcome", b.update().Outcome, market.NeedsPerson)
	count := func(interval market.Interval) int {
		bars, err := b.store.Bars(t.Context(), market.BarQuery{Symbol: "BTC-USD", Interval: interval, Limit: 10000})
		if err != nil {
			t.Fatal(err)
		}
		return len(bars)
	}
	expect(t, "hours up to the failed window", count(market.Hour), 300)
	if count(market.Minute) < 1000 {
		t.Error("the minutes were not loaded")
	}
	broken = false
	now = now.Add(time.Second)
	expect(t, "outcome once mended", b.update().Outcome, market.OK)
	expect(t, "hours once mended", count(market.Hour), 736)
}
