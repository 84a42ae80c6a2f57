package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/source/ecb/ecbtest"
)

const (
	maxReady = 300 * time.Millisecond
	maxIdle  = 80  // MiB resident
	maxBusy  = 256 // MiB resident, whatever the upstream sends
)

// TestStartsFastAndIdlesSmall starts bourse with a loaded store several times and
// takes the median, since the machine has other things to do too.
func TestStartsFastAndIdlesSmall(t *testing.T) {
	server := httptest.NewServer(ecbtest.New(firstDay, lastDay))
	defer server.Close()
	url := server.URL
	if replaytest.There() { // has all currencies
		url = replaytest.Start(t).ECB()
	}
	dir := t.TempDir()
	p := start(t, dir, url)
	p.logged("run finished")
	p.stop()
	var ready []time.Duration
	for range 5 {
		p := start(t, dir, url)
		p.listening()
		resp, err := http.Get(p.url + "/readyz")
		ready = append(ready, time.Since(p.started))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("/readyz: %s", resp.Status)
		}
		p.logged("run finished")
		if idle := p.memory("VmRSS"); idle > maxIdle {
			t.Errorf("it idles with %d MiB, more than %d", idle, maxIdle)
		} else {
			t.Logf("ready after %s, idles with %d MiB", ready[len(ready)-1], idle)
		}
		p.stop()
	}
	slices.Sort(ready)
	if median := ready[len(ready)/2]; median > maxReady {
		t.Errorf("ready after %s, more than %s", median, maxReady)
	}
}

// TestFloodsAreBounded sends answers of 100 MB, plain and as a small gzip stream.
func TestFloodsAreBounded(t *testing.T) {
	upstream := replaytest.Start(t)
	for _, kind := range []string{"huge", "gzip-bomb"} {
		for _, file := range []string{"daily", "hist.zip"} {
			t.Run(kind+" "+file, func(t *testing.T) {
				upstream.Break("ecb", kind, file, 0)
				defer upstream.Mend()
				p := start(t, t.TempDir(), upstream.ECB())
				p.listening()
				if outcome := p.logged("run finished")["outcome"]; outcome != string(market.NeedsPerson) {
					t.Errorf("came to %v", outcome)
				}
				if most := p.memory("VmHWM"); most > maxBusy {
					t.Errorf("it took %d MiB", most)
				} else {
					t.Logf("at most %d MiB", most)
				}
				p.get("/readyz")
				p.stop()
			})
		}
	}
}
