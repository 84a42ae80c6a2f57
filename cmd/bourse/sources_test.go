package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bourse/internal/source/alphavantage/alphavantagetest"
	"bourse/internal/source/coinbase/coinbasetest"
	"bourse/internal/source/ecb/ecbtest"
)

// TestSources runs all sources in one process. A vendor's key is renewed beside it,
// and the vendor's series are open to holders of a key of ours only.
func TestSources(t *testing.T) {
	const oldKey, newKey = "OLDKEYOFTHEVENDOR", "NEWKEYOFTHEVENDOR"
	now := time.Now()
	rates := httptest.NewServer(ecbtest.New(firstDay, lastDay))
	defer rates.Close()
	candles := httptest.NewServer(coinbasetest.New(now.AddDate(0, 0, -400), now, "BTC-USD"))
	defer candles.Close()
	vendor := &alphavantagetest.Upstream{Now: time.Now, Key: newKey, PerDay: 25}
	equities := httptest.NewServer(vendor)
	defer equities.Close()

	dir := t.TempDir()
	keyFile := filepath.Join(t.TempDir(), "key")
	write := func(key string) {
		if err := os.WriteFile(keyFile, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(oldKey)
	env := []string{
		"BOURSE_DATA_DIR=" + dir, "BOURSE_ECB_URL=" + rates.URL, "BOURSE_COINBASE_URL=" + candles.URL, "BOURSE_COINBASE_PRODUCTS=BTC-USD",
		"BOURSE_ALPHAVANTAGE_URL=" + equities.URL, "BOURSE_ALPHAVANTAGE_KEY=file://" + keyFile, "BOURSE_ALPHAVANTAGE_SYMBOLS=IBM",
	}
	p := start(t, dir, rates.URL, env...)
	p.listening()
	finished := map[any]any{}
	for range 3 {
		entry := p.logged("run finished")
		finished[entry["source"]] = entry["outcome"]
	}
	if want := "map[alphavantage:needs-person coinbase:ok ecb:ok]"; fmt.Sprint(finished) != want {
		t.Fatalf("the runs came to %v, want %s", finished, want)
	}

	write(newKey)
	if line := verb(t, env, "backfill", "-source", "alphavantage", "-from", "2026-01-01").last(t, 0); line["outcome"] != "ok" || line["inserted"] == 0.0 {
		t.Errorf("with the new key: %v", line)
	}
	made := verb(t, env, "key", "create", "-name", "desk", "-sources", "coinbase,alphavantage").last(t, 0)
	ask := func(target, key string) (int, []byte) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body
	}
	ways := []string{
		"/api/v1/bars/BTC-USD?interval=1m", "/api/v1/bars/BTC-USD?format=csv", "/api/v1/bars/IBM?adjustment=all", "/api/v1/actions/IBM", "/instruments/BTC-USD", "/instruments/IBM",
	}
	for _, target := range ways {
		if code, body := ask(target, fmt.Sprint(made["secret"])); code != http.StatusOK {
			t.Errorf("%s with a key: %d %s", target, code, body)
		}
		if code, body := ask(target, ""); code != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d %s", target, code, body)
		}
	}
	for _, target := range append(ways, "/api/v1/sources", "/api/v1/runs", "/api/v1/quarantine", "/status") {
		if _, body := ask(target, fmt.Sprint(made["secret"])); hasKey(body, oldKey, newKey) {
			t.Errorf("%s shows a key of the vendor", target)
		}
	}
	p.stop()
	for line := range p.lines {
		if hasKey([]byte(line), oldKey, newKey) {
			t.Errorf("the log shows a key of the vendor: %s", line)
		}
	}
	verified := verb(t, env, "verify")
	if verified.status != 0 {
		t.Errorf("verify: %v", verified.lines)
	}
	gaps := verb(t, env, "gaps", "-source", "coinbase")
	if gaps.status != 0 {
		t.Errorf("gaps: %v", gaps.lines)
	}
}

func hasKey(text []byte, keys ...string) bool {
	for _, key := range keys {
		if bytes.Contains(text, []byte(key)) {
			return true
		}
	}
	return false
}
