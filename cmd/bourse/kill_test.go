package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/sqlite"
	"bourse/internal/storetest"
)

// kills is how often the process is killed with SIGKILL during loads.
const kills = 50

// TestKilledDuringLoads kills bourse at random moments, half of the time in its first
// load and half of the time in a later one, and looks at the store each time. In the
// end everything is there, once.
func TestKilledDuringLoads(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	upstream := ecbtest.New(market.NewDate(1999, 1, 4), market.NewDate(2026, 3, 2))
	server := httptest.NewServer(upstream)
	defer server.Close()
	news := func(n int) { // for the next run to load: a day and a correction
		day := upstream.Publish()
		upstream.Set("USD", market.TARGET.Before(day-40), fmt.Sprintf("1.%04d", 1000+n))
	}

	dir := t.TempDir()
	first := undisturbed(t, dir, server.URL)
	news(0)
	later := undisturbed(t, dir, server.URL)
	during, whole := 0, 0
	for n := range kills {
		length := later
		if n%2 == 0 {
			dir, length = t.TempDir(), first
		} else {
			news(n)
		}
		p := start(t, dir, server.URL)
		p.logged("run started")
		moment := time.Duration(random.Int64N(int64(length)))
		time.Sleep(moment) //nolint:forbidigo // the kill comes at a random moment
		p.kill()
		ended, loaded := inspect(t, dir)
		if !ended {
			during++
		}
		if loaded {
			whole++
		}
		if t.Failed() {
			t.Fatalf("after kill %d, %s into the run", n+1, moment)
		}
	}
	t.Logf("%d of %d kills came before the run had ended; %d left a whole history, the others none", during, kills, whole)
	if during < kills/2 || whole == 0 || whole == kills {
		t.Error("the kills did not come at different moments of a run")
	}
	p := start(t, dir, server.URL)
	if outcome := p.logged("run finished")["outcome"]; outcome != "ok" {
		t.Errorf("the last run came to %v", outcome)
	}
	p.stop()
	if ended, loaded := inspect(t, dir); !ended || !loaded {
		t.Error("the last run has no end or no history")
	}
	complete(t, dir, upstream)
}

// undisturbed returns how long a run takes that is not killed.
func undisturbed(t *testing.T, dir, url string) time.Duration {
	t.Helper()
	p := start(t, dir, url)
	defer p.stop()
	p.logged("run started")
	began := time.Now()
	p.logged("run finished")
	return time.Since(began)
}

// inspect checks a store that nobody has open: its invariants, and that a history is
// there whole or not at all. It reports whether its last run had ended, and whether
// the history is there.
func inspect(t *testing.T, dir string) (ended, loaded bool) {
	t.Helper()
	store := open(t, dir)
	defer store.Close()
	storetest.Check(t.Context(), t, store)
	have, err := store.Coverage(t.Context(), "ecb")
	if err != nil {
		t.Fatal(err)
	}
	n := len(have.Days)
	if _, loaded = have.Fetched["eurofxref-hist.zip"]; loaded && n != len(market.TARGET.Days(market.NewDate(1999, 1, 4), have.Days[n-1])) {
		t.Errorf("the history has %d days up to %s, which are not all", n, have.Days[n-1])
	} else if !loaded && n > 2 {
		t.Errorf("%d days of a history that is not loaded", n)
	}
	runs, err := store.Runs(t.Context(), market.RecordQuery{Limit: 1})
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	return !runs[0].Finished.IsZero(), loaded
}

// complete makes sure that the store has what the upstream has, all and nothing else.
func complete(t *testing.T, dir string, upstream *ecbtest.Upstream) {
	t.Helper()
	store := open(t, dir)
	defer store.Close()
	all, err := store.Instruments(t.Context(), market.InstrumentQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	got, want := 0, 0
	for _, i := range all {
		bars, err := store.Bars(t.Context(), market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Limit: 100000})
		if err != nil {
			t.Fatal(err)
		}
		got += len(bars)
		for _, bar := range bars {
			price, err := market.ParseDecimal(upstream.Rate(i.Quote, market.DateOf(bar.Start)))
			if err != nil || !price.Equal(bar.Close) {
				t.Errorf("%s of %s is %s, the upstream says %s", i.Symbol, bar.Start, bar.Close, price)
			}
		}
		for _, day := range market.TARGET.Days(market.NewDate(1999, 1, 4), upstream.Newest()) {
			if upstream.Rate(i.Quote, day) != "" {
				want++
			}
		}
	}
	if got != want || len(all) != 6 {
		t.Errorf("the store has %d values of %d instruments, the upstream %d of 6", got, len(all), want)
	}
}

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open("sqlite://" + filepath.Join(dir, "bourse.db"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}
