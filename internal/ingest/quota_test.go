package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/secret"
	"bourse/internal/source/alphavantage"
	"bourse/internal/source/alphavantage/alphavantagetest"
)

// The quota is tried with more symbols than it has requests for a day.
const (
	quotaSymbols = 40
	quotaDays    = 10
	// quotaPeriod is how long a symbol may go without being asked for. Bars of 40 symbols
	// each day and two lists of actions of each a week would be 51 requests a day; with 25
	// all waits twice as long, and a symbol for up to three days.
	quotaPeriod = 3 * 24 * time.Hour
)

func quotaNames() []string {
	names := make([]string, quotaSymbols)
	for i := range names {
		names[i] = fmt.Sprintf("SYM%02d", i)
	}
	return names
}

// quotaWorld is ten days of runs, each by a process of its own.
type quotaWorld struct {
	t     *testing.T
	dir   string
	now   time.Time
	key   market.Secret
	url   string
	pause bool // between requests, as the source wants it
	http  http.RoundTripper
}

// run is one run by a process that starts for it and ends.
func (w *quotaWorld) run() (next time.Time, have market.Coverage) {
	w.t.Helper()
	var src ingest.Source
	src, err := alphavantage.New(w.url, w.key, quotaNames(), alphavantage.FreeRequests)
	if err != nil {
		w.t.Fatal(err)
	}
	if !w.pause {
		src = unhurried{src}
	}
	began := time.Now()
	b := newBenchOf(w.t, w.dir, src, func(c *ingest.Config) {
		c.Now = func() time.Time { return w.now.Add(time.Since(began)) }
		c.HTTP = w.http
	})
	defer b.store.Close()
	b.update()
	if next, err = b.store.NextRun(w.t.Context(), "alphavantage"); err != nil {
		w.t.Fatal(err)
	}
	if have, err = b.store.Coverage(w.t.Context(), src.Info()); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Since(began))
	return next, have
}

// live lets the days pass: a run whenever one is due, and one more after each restart,
// which nothing makes wait. moved is told of the time.
func (w *quotaWorld) live(moved func(time.Time)) {
	w.t.Helper()
	end := w.now.AddDate(0, 0, quotaDays)
	begin := w.now
	oldest := time.Duration(0)
	runs := 0
	for w.now.Before(end) {
		moved(w.now)
		if w.pause { // the server's seconds are real ones, while a night passes here at once
			<-time.After(2 * time.Second)
		}
		next, have := w.run()
		if runs++; runs%2 == 0 { // a restart: at once, and not when it was planned
			next, have = w.run()
		}
		for _, symbol := range quotaNames() {
			fetched, ever := have.Fetched["daily/"+symbol]
			if !ever {
				fetched = begin
			}
			oldest = max(oldest, w.now.Sub(fetched))
		}
		if !next.After(w.now) {
			w.t.Fatalf("the next run is at %s, it is %s", next, w.now)
		}
		w.now = next
	}
	w.t.Logf("%d runs; the longest that a symbol waited: %s", runs, oldest.Round(time.Minute))
	if oldest > quotaPeriod {
		w.t.Errorf("a symbol waited for %s, want at most %s", oldest, quotaPeriod)
	}
}

func quotaBegin(t *testing.T) time.Time {
	t.Helper()
	begin, err := time.Parse(time.RFC3339, "2021-03-15T12:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	return begin
}

func TestQuota(t *testing.T) {
	w := &quotaWorld{t: t, dir: t.TempDir(), now: quotaBegin(t), key: secret.Open(key)}
	upstream := &alphavantagetest.Upstream{Now: func() time.Time { return w.now }, Key: key, PerDay: alphavantage.FreeRequests}
	server := httptest.NewServer(upstream)
	defer server.Close()
	w.url = server.URL
	w.live(func(time.Time) {})
	for day, n := range upstream.PerDayAsked() {
		if n > alphavantage.FreeRequests {
			t.Errorf("%s: %d requests", day, n)
		}
	}
}

// TestQuotaReplayed is the same against recorded answers, whose server counts for
// itself. It takes five minutes, since there is a second between two requests.
func TestQuotaReplayed(t *testing.T) {
	if os.Getenv("BOURSE_TEST_LONG") == "" {
		t.Skip("BOURSE_TEST_LONG is not set: this test takes five minutes")
	}
	server := replaytest.Start(t, "-now", quotaBegin(t).Format(time.RFC3339))
	w := &quotaWorld{
		t: t, dir: t.TempDir(), now: quotaBegin(t), key: secret.Open(key), url: server.URL, pause: true,
		http: renamer{},
	}
	w.live(server.SetNow)
	outcomes := server.Outcomes("alphavantage")
	t.Logf("the server counts %v", outcomes)
	if outcomes["quota"] > 0 || outcomes["error"] > 0 {
		t.Errorf("the server refused some: %v", outcomes)
	}
}

// renamer asks for one of the three symbols that are recorded in place of an invented
// one, and gives the answer the name that was asked for.
type renamer struct{}

func (renamer) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	name := q.Get("symbol") + q.Get("keywords")
	recorded := []string{"AAPL", "IBM", "SPY"}[int(name[len(name)-1])%3]
	for _, parameter := range []string{"symbol", "keywords"} {
		if q.Has(parameter) {
			q.Set(parameter, recorded)
		}
	}
	asked := r.Clone(r.Context())
	asked.URL.RawQuery = q.Encode()
	resp, err := http.DefaultTransport.RoundTrip(asked)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	body = bytes.ReplaceAll(body, []byte(`"`+recorded+`"`), []byte(`"`+name+`"`))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

// TestQuotaIsShared lets several processes spend the last requests of a day.
func TestQuotaIsShared(t *testing.T) {
	now := quotaBegin(t)
	upstream := &alphavantagetest.Upstream{Now: func() time.Time { return now }, Key: key, PerDay: alphavantage.FreeRequests}
	server := httptest.NewServer(upstream)
	defer server.Close()
	dir := t.TempDir()
	var running sync.WaitGroup
	for range 4 {
		src, err := alphavantage.New(server.URL, secret.Open(key), quotaNames(), alphavantage.FreeRequests)
		if err != nil {
			t.Fatal(err)
		}
		b := newBenchOf(t, dir, unhurried{src}, func(c *ingest.Config) { c.Now = func() time.Time { return now } })
		running.Go(func() {
			for range 3 {
				if _, err := b.Run(t.Context(), b.source, "manual"); err != nil && !errors.Is(err, market.ErrLocked) {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if n := len(upstream.Asked()); n != alphavantage.FreeRequests {
		t.Errorf("%d requests were sent, want %d", n, alphavantage.FreeRequests)
	}
}

// TestSpacing makes sure that requests keep the distance that a source wants, also those
// of a process that starts after another.
func TestSpacing(t *testing.T) {
	var mu sync.Mutex
	var times []time.Time
	upstream := &alphavantagetest.Upstream{Now: time.Now, Key: key, PerDay: alphavantage.FreeRequests}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		times = append(times, time.Now())
		mu.Unlock()
		upstream.ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	const every = 100 * time.Millisecond
	for _, symbols := range []string{"AAPL", "AAPL,IBM"} {
		src, err := alphavantage.New(server.URL, secret.Open(key), strings.Split(symbols, ","), alphavantage.FreeRequests)
		if err != nil {
			t.Fatal(err)
		}
		b := newBenchOf(t, dir, spaced{src, every})
		if run := b.update(); run.Outcome != market.OK {
			t.Fatalf("%+v", run)
		}
	}
	if len(times) != 8 {
		t.Fatalf("%d requests", len(times))
	}
	for i := 1; i < len(times); i++ {
		if apart := times[i].Sub(times[i-1]); apart < every*9/10 {
			t.Errorf("request %d came %s after the one before", i, apart)
		}
	}
}

// spaced is a source that wants some time between two requests.
type spaced struct {
	ingest.Source
	every time.Duration
}

func (s spaced) Info() market.Source {
	info := s.Source.Info()
	info.Limits.Every = s.every
	return info
}
