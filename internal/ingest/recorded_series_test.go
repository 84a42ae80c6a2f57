package ingest_test

import (
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/secret"
	"bourse/internal/source/alphavantage"
	"bourse/internal/source/coinbase"
	"bourse/internal/storetest"
)

// recorded reads the rows of a zipped file of the recordings: time, open, high, low,
// close, volume, where prices are divided by scale.
func recorded(t *testing.T, name string, scale int64) map[market.Date]market.Bar {
	t.Helper()
	bars := map[market.Date]market.Bar{}
	for _, row := range replaytest.Rows(t, name) {
		at, err := time.Parse("20060102 15:04", row[0])
		if err != nil {
			t.Fatal(err)
		}
		bar := market.Bar{Start: at}
		bar.Volume.Valid = true
		for i, to := range []*market.Decimal{&bar.Open, &bar.High, &bar.Low, &bar.Close, &bar.Volume.Decimal} {
			text := row[i+1]
			if i < 4 && scale > 1 {
				v, _ := new(big.Rat).SetString(text)
				text = v.Quo(v, new(big.Rat).SetInt64(scale)).FloatString(4)
			}
			if *to, err = market.ParseDecimal(text); err != nil {
				t.Fatal(row, err)
			}
		}
		bars[market.DateOf(at)] = bar
	}
	return bars
}

// windows notes what is asked for.
type windows struct {
	mu    sync.Mutex
	spans map[string][][2]time.Time // by product and granularity
}

func (w *windows) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	w.note(r.URL.Path+" "+q.Get("granularity"), q)
	return http.DefaultTransport.RoundTrip(r)
}

func (w *windows) note(series string, q url.Values) {
	first, err1 := time.Parse(time.RFC3339, q.Get("start"))
	last, err2 := time.Parse(time.RFC3339, q.Get("end"))
	if err1 != nil || err2 != nil {
		panic(fmt.Sprint(q, err1, err2))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spans[series] = append(w.spans[series], [2]time.Time{first, last})
}

// TestRecordedCandles loads the recorded history of BTC-USD within the limits of the
// exchange, and holds each day to the recording.
func TestRecordedCandles(t *testing.T) {
	want := recorded(t, "lean/crypto/coinbase/daily/btcusd_trade.zip", 1)
	server := replaytest.Start(t, "-now", "2018-04-05T15:30:20Z")
	src, err := coinbase.New(server.URL, []string{"BTC-USD"})
	if err != nil {
		t.Fatal(err)
	}
	asked := &windows{spans: map[string][][2]time.Time{}}
	m := &matrix{upstream: upstream{name: "coinbase"}}
	b := newBenchOf(t, t.TempDir(), src, m.clock(t, "2018-04-05T15:30:20Z", new(time.Duration)), func(c *ingest.Config) { c.HTTP = asked })
	run := b.update()
	expect(t, "outcome", run.Outcome, market.OK)
	for series, spans := range asked.spans {
		for i, s := range spans[1:] {
			if !s[0].After(spans[i][1]) {
				t.Errorf("%s: the window from %s overlaps the one to %s", series, s[0], spans[i][1])
			}
		}
	}
	expect(t, "refused by the exchange", server.Outcomes("coinbase")["throttle"]+server.Outcomes("coinbase")["error"], 0)
	bars, err := b.store.Bars(t.Context(), market.BarQuery{Symbol: "BTC-USD", Interval: market.Day, Limit: math.MaxInt32})
	if err != nil {
		t.Fatal(err)
	}
	first, today := market.NewDate(2015, 1, 1), market.NewDate(2018, 4, 5)
	for _, bar := range bars {
		day := market.DateOf(bar.Start)
		if bar.Provisional != (day == today) {
			t.Errorf("%s: provisional: %t", day, bar.Provisional)
		}
		if recording, ok := want[day]; !ok || day != today && !bar.Same(recording) {
			t.Errorf("%s: %v, recorded is %v", day, bar, recording)
		}
		delete(want, day)
	}
	for day := range want {
		if day >= first && day <= today {
			t.Errorf("%s is missing", day)
		}
	}
	// Two hours later the candles that were open are final, and nothing else changes.
	for interval, closed := range map[market.Interval]string{market.Hour: "2018-04-05T15:00:00Z", market.Minute: "2018-04-05T15:30:00Z"} {
		if !provisional(t, b, interval, closed) {
			t.Errorf("the candle of %s that began at %s is not provisional", interval, closed)
		}
	}
	server.SetNow(m.at(t, "2018-04-05T17:30:20Z"))
	later := newBenchOf(t, b.dir, src, m.clock(t, "2018-04-05T17:30:20Z", new(time.Duration)))
	next := later.update()
	expect(t, "revised: the day, the hour and the minute that were open", next.Revised, 3)
	for interval, closed := range map[market.Interval]string{market.Hour: "2018-04-05T15:00:00Z", market.Minute: "2018-04-05T15:30:00Z"} {
		if provisional(t, later, interval, closed) {
			t.Errorf("the candle of %s that began at %s is still provisional", interval, closed)
		}
	}
	storetest.Check(t.Context(), t, later.store)
	verified(t, later)
}

// verified makes sure that the store is what the archive gives.
func verified(t *testing.T, b *bench) {
	t.Helper()
	findings, report := b.verify()
	if len(findings) > 0 || report.Values == 0 || report.Unproven > 0 {
		t.Errorf("%+v: %s", report, strings.Join(findings, ", "))
	}
}

func provisional(t *testing.T, b *bench, interval market.Interval, start string) bool {
	t.Helper()
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		t.Fatal(err)
	}
	bars, err := b.store.Bars(t.Context(), market.BarQuery{Symbol: "BTC-USD", Interval: interval, From: at, Limit: 1})
	if err != nil || len(bars) != 1 || !bars[0].Start.Equal(at) {
		t.Fatal(bars, err)
	}
	return bars[0].Provisional
}

// TestRecordedEquities loads 23 years of two shares, as a premium plan gives them, and
// holds each day to the recording.
func TestRecordedEquities(t *testing.T) {
	server := replaytest.Start(t, "-now", "2021-03-31T22:30:00Z")
	src, err := alphavantage.New(server.URL, secret.Open("premium"), []string{"AAPL", "IBM"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	m := &matrix{}
	b := newBenchOf(t, t.TempDir(), unhurried{src}, m.clock(t, "2021-03-31T22:30:00Z", new(time.Duration)))
	expect(t, "outcome", b.update().Outcome, market.OK)
	for _, symbol := range []string{"AAPL", "IBM"} {
		want := recorded(t, "lean/equity/usa/daily/"+strings.ToLower(symbol)+".zip", 10000)
		bars, err := b.store.Bars(t.Context(), market.BarQuery{Symbol: symbol, Interval: market.Day, Limit: math.MaxInt32})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "days of "+symbol, len(bars), len(want))
		for _, bar := range bars {
			if day := market.DateOf(bar.Start); !bar.Same(want[day]) {
				t.Errorf("%s of %s: %v, recorded is %v", symbol, day, bar, want[day])
			}
		}
		lists, err := b.store.Actions(t.Context(), symbol, time.Time{})
		if err != nil || len(lists) != 2 || len(lists[0].Actions) < 30 || len(lists[1].Actions) == 0 {
			t.Errorf("actions of %s: %v, %v", symbol, lists, err)
		}
	}
	ibm, err := b.store.Instrument(t.Context(), "IBM")
	if err != nil || !strings.HasPrefix(ibm.Name, "International Business Machines") {
		t.Errorf("%+v, %v", ibm, err)
	}
	storetest.Check(t.Context(), t, b.store)
	verified(t, b)
}
