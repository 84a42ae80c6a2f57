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
	upstream := ecbtest.New(firstDay, lastDay)
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
		moment := time.Duration(random.Int64N(int64(length + length/2))) // a busy machine takes longer now and then
		time.Sleep(moment)                                               //nolint:forbidigo // the kill comes at a random moment
		p.kill()
		ended, loaded := inspect(t, dir, upstream)
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
	if during == 0 { // how many more depends on what else the machine does
		t.Error("no kill came during a run")
	}
	p := start(t, dir, server.URL)
	if outcome := p.logged("run finished")["outcome"]; outcome != "ok" {
		t.Errorf("the last run came to %v", outcome)
	}
	p.stop()
	if ended, loaded := inspect(t, dir, upstream); !ended || !loaded {
		t.Error("the last run has no end or no history")
	}
	store := open(t, dir)
	defer store.Close()
	compare(t, store, upstream, upstream.Newest(), true)
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

// The history that the upstream begins with.
var firstDay, lastDay = market.NewDate(1999, 1, 4), market.NewDate(2026, 3, 2)

// inspect checks a store that nobody has open: its invariants, and that the history is
// there whole or not at all. It reports whether its last run had ended, and whether
// the history is there.
func inspect(t *testing.T, dir string, upstream *ecbtest.Upstream) (ended, loaded bool) {
	t.Helper()
	store := open(t, dir)
	defer store.Close()
	storetest.Check(t.Context(), t, store)
	have, err := store.Coverage(t.Context(), market.Source{Name: "ecb", Joint: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, loaded = have.Fetched["eurofxref-hist.zip"]; loaded {
		compare(t, store, upstream, lastDay, false)
	} else if n := len(have.Days[""]); n > 2 {
		t.Errorf("%d days of a history that is not loaded", n)
	}
	runs, err := store.Runs(t.Context(), market.RecordQuery{Limit: 1})
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	return !runs[0].Finished.IsZero(), loaded
}

// compare makes sure that the store has all that the upstream has up to a day, and
// nothing else; with values also that each is what the upstream says now.
func compare(t *testing.T, store *sqlite.Store, upstream *ecbtest.Upstream, to market.Date, values bool) {
	t.Helper()
	all, err := store.Instruments(t.Context(), market.InstrumentQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 6 {
		t.Errorf("the store has %d instruments of 6", len(all))
	}
	for _, i := range all {
		bars, err := store.Bars(t.Context(), market.BarQuery{Symbol: i.Symbol, Interval: market.Day, To: (to + 1).Time(), Limit: 100000})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, day := range market.TARGET.Days(firstDay, to) {
			if upstream.Rate(i.Quote, day) != "" {
				want++
			}
		}
		if len(bars) != want {
			t.Errorf("the store has %d values of %s up to %s, the upstream %d", len(bars), i.Symbol, to, want)
		}
		for _, bar := range bars {
			price, err := market.ParseDecimal(upstream.Rate(i.Quote, market.DateOf(bar.Start)))
			if values && (err != nil || !price.Equal(bar.Close)) {
				t.Errorf("%s of %s is %s, the upstream says %s", i.Symbol, bar.Start, bar.Close, price)
			}
		}
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
