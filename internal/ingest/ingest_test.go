package ingest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/source/simulated"
	"bourse/internal/storetest"
)

// feed is an upstream that notes what it is asked for.
type feed struct {
	*ecbtest.Upstream
	url   string
	asked []string
}

func newFeed(t *testing.T) *feed {
	t.Helper()
	f := &feed{Upstream: ecbtest.New(market.NewDate(2024, 1, 2), market.NewDate(2026, 3, 2))}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked = append(f.asked, strings.TrimPrefix(r.URL.Path, "/eurofxref-"))
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// took returns what was asked for since it was called last.
func (f *feed) took() string {
	asked := strings.Join(f.asked, " ")
	f.asked = nil
	return asked
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestUpToDate(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	first := b.update()
	expect(t, "outcome", first.Outcome, market.OK)
	expect(t, "asked", f.took(), "daily.xml hist.zip")
	expect(t, "newest", first.Newest, f.Newest().Time())

	again := b.update()
	expect(t, "asked", f.took(), "daily.xml hist-90d.xml")
	expect(t, "written", again.Inserted+again.Revised+again.Rejected+again.Flagged, 0)

	day := f.Publish()
	next := b.update()
	expect(t, "asked", f.took(), "daily.xml hist-90d.xml")
	expect(t, "a day later", next.Inserted, 5)
	expect(t, "newest", next.Newest, day.Time())
	storetest.Check(t.Context(), t, b.store)
}

func TestCorrection(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	day := market.TARGET.Before(f.Newest() - 30)
	old := f.Rate("USD", day)
	before := time.Now().UTC()
	f.Set("USD", day, "1.2345")
	expect(t, "revised", b.update().Revised, 1)
	versions, err := b.store.Versions(t.Context(), "EURUSD", market.Day, day.Time())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "versions", len(versions), 2)
	for i, want := range []string{"1.2345", old} {
		price, err := market.ParseDecimal(want)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "value", versions[i].Close, price)
		body, err := b.archive.Get(t.Context(), "ecb", versions[i].Payload.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "hash", market.SHA256(body), versions[i].Payload.SHA256)
		batch, err := b.source.Parse(versions[i].Payload, body)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "value in the archived bytes", closeOf(batch, "EURUSD", day), price)
	}
	bars, err := b.store.Bars(t.Context(), market.BarQuery{
		Symbol: "EURUSD", Interval: market.Day, From: day.Time(), To: (day + 1).Time(), AsOf: before, Limit: 1,
	})
	if err != nil || len(bars) != 1 {
		t.Fatal(bars, err)
	}
	expect(t, "as of before", bars[0].Close, versions[1].Close)
}

func closeOf(b market.Batch, symbol string, day market.Date) (price market.Decimal) {
	for _, s := range b.Series {
		for _, bar := range s.Bars {
			if s.Symbol == symbol && bar.Start.Equal(day.Time()) {
				price = bar.Close
			}
		}
	}
	return price
}

// TestHoleIsFilled shows that a value which was held is asked for again, by the file
// that has it, and that its hole is filled.
func TestHoleIsFilled(t *testing.T) {
	f := newFeed(t)
	now := time.Now()
	b := newBench(t, t.TempDir(), f.url, func(c *ingest.Config) { c.Now = func() time.Time { return now } })
	old := market.TARGET.Before(f.Newest() - 300)
	good := f.Rate("USD", old)
	f.Set("USD", old, "NaN")
	expect(t, "rejected", b.update().Rejected, 1)
	f.took()
	f.Set("USD", old, good)
	now = now.Add(time.Hour)
	b.update()
	expect(t, "asked within a day", f.took(), "daily.xml hist-90d.xml")
	now = now.Add(25 * time.Hour)
	expect(t, "filled", b.update().Inserted, 1)
	expect(t, "asked a day later", f.took(), "daily.xml hist.zip")
	now = now.Add(25 * time.Hour)
	b.update()
	expect(t, "asked once filled", f.took(), "daily.xml hist-90d.xml")
}

func TestRestatementWaitsForAPerson(t *testing.T) {
	f := newFeed(t)
	dir := t.TempDir()
	b := newBench(t, dir, f.url)
	b.update()
	before := b.contents()
	for _, day := range market.TARGET.Days(f.Newest()-80, f.Newest()) {
		for _, currency := range []string{"USD", "JPY", "GBP", "CHF", "ISK"} {
			f.Set(currency, day, "3.5")
		}
	}
	held := b.update()
	expect(t, "outcome", held.Outcome, market.NeedsPerson)
	expect(t, "contents", b.contents(), before)
	accepting := ingest.New(ingest.Config{Store: b.store, Archive: b.archive, AcceptRestatement: true})
	run, err := accepting.Run(t.Context(), b.source, "manual")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "accepted", run.Outcome, market.OK)
	if run.Revised < 200 {
		t.Errorf("revised %d", run.Revised)
	}
	storetest.Check(t.Context(), t, b.store)
}

// TestLargeMoveIsFlagged: the franc did rise by 14 % in a day.
func TestLargeMoveIsFlagged(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	day := f.Publish()
	f.Set("CHF", day, "0.5")
	run := b.update()
	expect(t, "inserted", run.Inserted, 5)
	expect(t, "flagged", run.Flagged, 1)
	list, err := b.store.Quarantine(t.Context(), market.RecordQuery{Limit: 1})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	expect(t, "symbol", list[0].Symbol, "EURCHF")
	expect(t, "loaded", list[0].Loaded, true)
}

func TestConflictingRowsAreHeld(t *testing.T) {
	body := []byte(`<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>` +
		`<Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/><Cube currency="JPY" rate="160"/></Cube>` +
		`<Cube time="2026-03-02"><Cube currency="USD" rate="1.2"/><Cube currency="JPY" rate="160.0"/></Cube></Cube></gesmes:Envelope>`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	defer server.Close()
	b := newBench(t, t.TempDir(), server.URL)
	run := b.update() // the archive of the history is no archive, so the run fails after the daily file
	expect(t, "inserted", run.Inserted, 1)
	expect(t, "rejected", run.Rejected, 2)
}

// TestReplayRebuilds shows that the archive alone gives back a store: values,
// revisions and their times.
func TestReplayRebuilds(t *testing.T) {
	f := newFeed(t)
	dir := t.TempDir()
	b := newBench(t, dir, f.url)
	b.update()
	day := f.Newest() - 3
	original := f.Rate("USD", day)
	for _, rate := range []string{"1.2", original, "1.3"} { // there and back again
		f.Set("USD", day, rate)
		f.Publish()
		b.update()
	}
	run, err := b.Replay(t.Context(), b.source, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "replayed into itself", run.Inserted+run.Revised, 0)

	again := newBench(t, t.TempDir(), f.url, func(c *ingest.Config) { c.Archive = b.archive })
	run, err = again.Replay(t.Context(), again.source, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "outcome", run.Outcome, market.OK)
	expect(t, "contents", again.contents(), b.contents())
	want, err := b.store.Versions(t.Context(), "EURUSD", market.Day, day.Time())
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.store.Versions(t.Context(), "EURUSD", market.Day, day.Time())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "versions", len(got), 4)
	for i := range want {
		expect(t, "value", got[i].Close, want[i].Close)
		expect(t, "known at", got[i].KnownAt, want[i].KnownAt)
		expect(t, "payload", got[i].Payload.SHA256, want[i].Payload.SHA256)
	}
	storetest.Check(t.Context(), t, again.store)
}

// TestSourceIsWrittenByOne: a second run finds the source locked, in the same process
// and through another handle.
func TestSourceIsWrittenByOne(t *testing.T) {
	f := newFeed(t)
	dir := t.TempDir()
	b := newBench(t, dir, f.url)
	release, err := b.store.Lock(t.Context(), "ecb")
	if err != nil {
		t.Fatal(err)
	}
	other := newBench(t, dir, f.url)
	if _, err := other.Run(t.Context(), other.source, "manual"); err == nil {
		t.Error("two runs at once")
	}
	release()
	other.update()
}

// TestFollow starts without an upstream and goes on with one: simulated data is
// served until the first real bars, and not beside them.
func TestFollow(t *testing.T) {
	f := newFeed(t)
	var down atomic.Bool
	down.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f.ServeHTTP(w, r)
	}))
	defer server.Close()
	b := newBench(t, t.TempDir(), server.URL)
	symbols := follow(t, b)
	for _, s := range symbols {
		if !strings.HasPrefix(s, "SIM-EUR") {
			t.Errorf("%s is served while no source has answered", s)
		}
	}
	if !strings.Contains(b.log.String(), "SIMULATED") {
		t.Error("the log does not say SIMULATED")
	}
	down.Store(false)
	for _, s := range follow(t, b) {
		if strings.HasPrefix(s, "SIM-") {
			t.Errorf("%s is served beside real series", s)
		}
	}
	down.Store(true)
	for _, s := range follow(t, b) {
		if strings.HasPrefix(s, "SIM-") {
			t.Errorf("%s came back", s)
		}
	}
}

// follow follows the source until a run more is recorded and something is served, and
// returns what that is.
func follow(t *testing.T, b *bench) (symbols []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	signals, err := b.store.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before := runs(t, b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Follow(ctx, b.source, simulated.Source{})
	}()
	for range signals {
		all, err := b.store.Instruments(t.Context(), market.InstrumentQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if symbols = nil; runs(t, b) > before && len(all) > 0 {
			for _, i := range all {
				symbols = append(symbols, i.Symbol)
			}
			break
		}
	}
	cancel()
	<-done
	return symbols
}

// runs counts the finished runs of the real source.
func runs(t *testing.T, b *bench) (n int) {
	t.Helper()
	list, err := b.store.Runs(t.Context(), market.RecordQuery{Source: "ecb", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if !r.Finished.IsZero() {
			n++
		}
	}
	return n
}
