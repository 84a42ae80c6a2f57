package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/sqlite"

	"github.com/govalues/decimal"
)

// fixture is an API over a real store, filled by the real ingest from invented rates,
// with a clock that only moves when told.
type fixture struct {
	api      *api.API
	store    *sqlite.Store
	ingest   *ingest.Ingester
	archive  *archive.Archive
	source   *ecb.Source
	upstream *ecbtest.Upstream
	now      time.Time
	follows  chan struct{} // closed when the API knows from where on it follows the store
}

// followed is a store that tells when it is followed.
type followed struct {
	*sqlite.Store
	once  sync.Once
	begun chan struct{}
}

func (s *followed) LastChange(ctx context.Context) (int64, error) {
	defer s.once.Do(func() { close(s.begun) })
	return s.Store.LastChange(ctx)
}

var (
	firstDay = market.NewDate(2024, time.January, 2)
	lastDay  = market.NewDate(2026, time.March, 18)
)

// newFixture returns a fixture with rates from firstDay to lastDay and, as no source
// has those yet, hourly bars of BTC-USD with volumes.
func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{now: lastDay.Time().Add(17 * time.Hour), upstream: ecbtest.New(firstDay, lastDay), follows: make(chan struct{})}
	clock := func() time.Time { return f.now }
	var err error
	if f.store, err = sqlite.Open("sqlite://" + t.TempDir() + "/bourse.db"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	if err := f.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := archive.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	f.archive = raw
	t.Cleanup(func() { _ = raw.Close() })
	server := httptest.NewServer(f.upstream)
	t.Cleanup(server.Close)
	if f.source, err = ecb.New(server.URL); err != nil {
		t.Fatal(err)
	}
	f.ingest = ingest.New(ingest.Config{Store: f.store, Archive: raw, Now: clock})
	f.api = api.New(api.Config{Store: &followed{Store: f.store, begun: f.follows}, Archive: raw, Keys: f.store, Now: clock})
	f.run(t)
	f.loadHours(t)
	return f
}

// run lets the source be asked, a minute later than before.
func (f *fixture) run(t testing.TB) {
	t.Helper()
	f.now = f.now.Add(time.Minute)
	run, err := f.ingest.Run(t.Context(), f.source, "manual")
	if err != nil || run.Outcome != market.OK {
		t.Fatalf("run: %+v, %v", run, err)
	}
}

const hours = 50

func (f *fixture) loadHours(t testing.TB) {
	t.Helper()
	source := market.Source{Name: "coinbase", Licence: market.Public, Calendar: market.EveryDay, Zone: "UTC"}
	id, err := f.store.StartRun(t.Context(), source, "manual", f.now)
	if err != nil {
		t.Fatal(err)
	}
	series := market.Series{Symbol: "BTC-USD", Interval: market.Hour}
	for i := range int64(hours) {
		dec := func(cents int64) market.Decimal { return decimal.MustNew(cents+i*7, 2).Trim(0) }
		series.Bars = append(series.Bars, market.Bar{
			Start: lastDay.Time().Add(time.Duration(i-hours) * time.Hour), Open: dec(6512340), High: dec(6520001), Low: dec(6500000),
			Close: dec(6515550), Volume: decimal.NullDecimal{Decimal: decimal.MustNew(1234567890123+i, 8), Valid: i%5 > 0},
			Provisional: i == hours-1,
		})
	}
	_, err = f.store.Load(t.Context(), market.Batch{
		Payload: market.Payload{RunID: id, Source: source.Name, Resource: "candles", ReceivedAt: f.now, SHA256: market.SHA256(nil), Status: 200},
		Instruments: []market.Instrument{{Symbol: "BTC-USD", Name: "Bitcoin, \"the\" coin", Kind: market.Crypto, Base: "BTC", Quote: "USD",
			Source: source.Name, Calendar: source.Calendar, Licence: source.Licence}},
		Series: []market.Series{series},
	}, func(market.Counts) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// get asks for a target; headers are pairs of names and values.
func (f *fixture) get(target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	return w
}

// read asks for a target that is there and decodes its JSON into v.
func (f *fixture) read(t testing.TB, target string, v any) {
	t.Helper()
	w := f.get(target)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
}

// page is a page of bars.
type page struct {
	Bars []bar
	Next string
}

type bar struct {
	Start                          string
	Open, High, Low, Close, Volume json.Number
	Provisional                    bool
}
