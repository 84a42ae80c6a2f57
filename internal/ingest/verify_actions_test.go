package ingest_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/secret"
	"bourse/internal/source/alphavantage"
	"bourse/internal/source/alphavantage/alphavantagetest"
)

// TestVerifyActions changes a dividend in the store, and loses a list in the archive.
func TestVerifyActions(t *testing.T) {
	now := quotaBegin(t)
	upstream := &alphavantagetest.Upstream{
		Now: func() time.Time { return now }, Key: key, PerDay: alphavantage.FreeRequests,
		Dividends: map[string][]alphavantagetest.Action{"IBM": {{Day: "2021-02-09", Value: "1.63"}, {Day: "2020-11-09", Value: "1.63"}}},
		Splits:    map[string][]alphavantagetest.Action{"IBM": {{Day: "2021-03-01", Value: "2"}}},
	}
	server := httptest.NewServer(upstream)
	defer server.Close()
	src, err := alphavantage.New(server.URL, secret.Open(key), []string{"IBM"}, alphavantage.FreeRequests)
	if err != nil {
		t.Fatal(err)
	}
	b := newBenchOf(t, t.TempDir(), unhurried{src}, func(c *ingest.Config) { c.Now = func() time.Time { return now } })
	b.update()
	now = now.AddDate(0, 0, 8) // a dividend is corrected, and another one withdrawn
	upstream.Dividends["IBM"] = []alphavantagetest.Action{{Day: "2021-02-09", Value: "1.7"}}
	expect(t, "revised", b.update().Revised, 2)
	verified(t, b)
	bars, err := b.store.Bars(t.Context(), market.BarQuery{Symbol: "IBM", Interval: market.Day, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}

	b.tamper(`UPDATE actions SET list = '[["2021-02-09","9"]]' WHERE kind = 'dividend' AND list LIKE '%1.7"%'`)
	findings, _ := b.verify()
	if len(findings) != 1 || !strings.Contains(findings[0], "value_differs IBM 1d 2021-02-09 [9] [1.7]") {
		t.Errorf("found %q", findings)
	}

	_, object := b.payloadOf("alphavantage", "dividends/IBM", 0)
	if err := os.Remove(object); err != nil {
		t.Fatal(err)
	}
	findings, report := b.verify()
	if len(findings) != 1 || !strings.HasPrefix(findings[0], string(ingest.ObjectMissing)) {
		t.Errorf("found %q", findings)
	}
	expect(t, "what cannot be proven", fmt.Sprint(report.Unproven, " ", report.Values), fmt.Sprint(1, " ", len(bars)+1))
}
