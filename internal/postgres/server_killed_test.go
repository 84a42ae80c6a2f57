package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/storetest"
)

// kills is how often the server is killed during loads.
const kills = 20

// TestServerKilledDuringLoads kills all processes of a server at random moments of
// loads and looks at the store each time it is back: the load is there whole or not at
// all, and loading again completes it, once.
func TestServerKilledDuringLoads(t *testing.T) {
	server := pgtest.New(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	url := server.URL(server.Database(t, ""))
	s := open(t, url)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	received := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	length := time.Duration(0)
	for n := range 3 { // the last of them as long as those that follow
		began := time.Now()
		must(t, load(t, s, uniformBatch(begin(t, s, "coinbase"), received.Add(time.Duration(n)*time.Second), n+1)))
		length = time.Since(began)
	}
	there, during := 3, 0
	for n := range kills {
		b := uniformBatch(begin(t, s, "coinbase"), received.Add(time.Duration(n+10)*time.Second), n+10)
		moment := time.Duration(random.Int64N(int64(length) * 5 / 4))
		failed := make(chan error, 1)
		go func() { failed <- load(t, s, b) }()
		time.Sleep(moment) //nolint:forbidigo // the kill comes at a random moment
		must(t, server.Kill())
		err := <-failed
		if err != nil {
			during++
		}
		must(t, server.Restart())
		after := open(t, url)
		storetest.Check(t.Context(), t, after)
		whole := versionsOf(t, after, n+10)
		if whole {
			there++
		} else if err == nil {
			t.Error("a load that was confirmed is gone")
		}
		// The run was interrupted; another one loads the same bytes.
		b.Payload.RunID = begin(t, after, "coinbase")
		must(t, load(t, after, b))
		if !versionsOf(t, after, n+10) {
			t.Error("the load that was repeated is not there")
		}
		storetest.Check(t.Context(), t, after)
		if list, err := after.Versions(t.Context(), "BTC-USD", market.Day, uniform(1).Bars[0].Start); err != nil || len(list) != n+4 {
			t.Errorf("%d versions after %d loads, %v", len(list), n+4, err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d, %s into a load of %s", n+1, moment, length)
		}
		s = after
	}
	t.Logf("%d of %d kills came before the load had ended; %d loads were there whole, the others not at all", during, kills, there-3)
	if during == 0 {
		t.Error("no kill came during a load")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// load loads a batch without the test's end as its own.
func load(t *testing.T, s *postgres.Store, b market.Batch) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	_, err := s.Load(ctx, b, accept)
	return err
}

const uniformDays = 3000

// uniform is a series in which all prices are n, with a day more for each n.
func uniform(n int) market.Series {
	s := market.Series{Symbol: "BTC-USD", Interval: market.Day}
	for d := range uniformDays + n {
		s.Bars = append(s.Bars, market.Fixing(market.NewDate(1990, 1, 1)+market.Date(d), priceOf(n)))
	}
	return s
}

// uniformBatch is a payload of uniform(n) with one dividend of n.
func uniformBatch(run int64, received time.Time, n int) market.Batch {
	b := batch("coinbase", run, received, uniform(n))
	b.Actions = []market.ActionList{{Symbol: "BTC-USD", Kind: market.Dividend, Actions: []market.Action{{
		Day: market.NewDate(1990, 1, 1), Value: priceOf(n),
	}}}}
	return b
}

func priceOf(n int) market.Decimal {
	d, err := market.ParseDecimal(fmt.Sprint(n))
	if err != nil {
		panic(err)
	}
	return d
}

// versionsOf reports whether the store has the series uniform(n), and makes sure that
// what it has is one such payload.
func versionsOf(t *testing.T, s *postgres.Store, n int) bool {
	t.Helper()
	bars, err := s.Bars(t.Context(), market.BarQuery{Symbol: "BTC-USD", Interval: market.Day, Limit: 100000})
	must(t, err)
	has, _, _ := bars[0].Close.Int64(0)
	if len(bars) != uniformDays+int(has) {
		t.Errorf("%d bars of load %d", len(bars), has)
	}
	for _, bar := range bars {
		if !bar.Same(bars[0]) {
			t.Fatalf("half a load: %s and %s", bar.Close, bars[0].Close)
		}
	}
	lists, err := s.Actions(t.Context(), "BTC-USD", time.Time{})
	if err != nil || len(lists) != 1 || !lists[0].Actions[0].Value.Equal(bars[0].Close) {
		t.Fatalf("bars of load %d, actions %+v, %v", has, lists, err)
	}
	return int(has) == n
}
