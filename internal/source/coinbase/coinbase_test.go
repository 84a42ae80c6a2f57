package coinbase

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/source/coinbase/coinbasetest"
)

func source(t testing.TB, products ...string) *Source {
	t.Helper()
	s, err := New("https://example.com/exchange/", products)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewRefuses(t *testing.T) {
	for _, base := range []string{"", "ftp://example.com", "https://", "example.com", "http://%zz"} {
		if _, err := New(base, []string{"BTC-USD"}); err == nil {
			t.Errorf("%q was taken for a base URL", base)
		}
	}
	for _, products := range [][]string{
		nil, {""}, {"BTC"}, {"BTCUSD"}, {"BTC-"}, {"-USD"}, {"btc-usd"}, {"BTC-USD-EUR"}, {"BTC/USD"}, {"BTC-USD/../x"}, {"BTC-.USD"},
		{"BTC-USD\n"}, {"ABCDEFGHIJKLMNOPQ-USD"}, {"BTC-USD", "ETH-USD", "BTC-USD"},
	} {
		if _, err := New(URL, products); err == nil {
			t.Errorf("%q were taken for products", products)
		}
	}
	if _, err := New(URL, []string{"BTC-USD", "1INCH-EUR", "ABCDEFGHIJKLMNOP-USD"}); err != nil {
		t.Error(err)
	}
}

// TestProductsAreCopied: the caller's slice is its own.
func TestProductsAreCopied(t *testing.T) {
	products := []string{"BTC-USD"}
	s := source(t, products...)
	products[0] = "../../secret"
	if got := s.Next(market.Coverage{}, nil, time.Now()); got[0].Resource != "BTC-USD/1d" {
		t.Errorf("the first request is %+v", got[0])
	}
}

func TestInfo(t *testing.T) {
	info := source(t, "BTC-USD").Info()
	if info.Name != "coinbase" || info.Licence != market.Internal || info.Joint || info.Poll != 5*time.Minute {
		t.Errorf("got %+v", info)
	}
	if perSecond := time.Second / info.Limits.Every; perSecond >= 10 {
		t.Errorf("%d requests a second, where 10 are the most", perSecond)
	}
	midnight := time.Date(2018, 4, 5, 0, 0, 0, 0, time.UTC)
	if day := info.Expected(midnight); day != market.NewDate(2018, 4, 5) {
		t.Errorf("at midnight %s is expected", day)
	}
}

// TestUpstream: what a first run asks for is answered, and is all that there is, once.
func TestUpstream(t *testing.T) {
	first := time.Date(2017, 1, 2, 3, 4, 0, 0, time.UTC)
	now := time.Date(2018, 4, 5, 15, 30, 20, 0, time.UTC)
	up := coinbasetest.New(first, now, "BTC-USD", "ETH-USD")
	server := httptest.NewServer(up)
	defer server.Close()
	s, err := New(server.URL, []string{"ETH-USD", "BTC-USD"})
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2017, 5, 6, 0, 0, 0, 0, time.UTC)
	up.Set("ETH-USD", market.Day, day, "") // no trades
	up.Set("ETH-USD", market.Day, day.Add(24*time.Hour), "1,2.5,1.25,2,1e-8")
	bars := map[market.SeriesKey][]market.Bar{}
	for _, req := range s.Next(market.Coverage{}, nil, now) {
		resp, err := http.Get(req.URL)
		if err != nil {
			t.Fatal(err)
		}
		body := read(t, resp)
		if resp.StatusCode != http.StatusOK || int64(len(body)) > req.MaxBytes {
			t.Fatalf("%s: %s %s", req.URL, resp.Status, body)
		}
		b, err := s.Parse(market.Payload{Resource: req.Resource, Header: resp.Header}, body)
		if err != nil {
			t.Fatalf("%s: %v", req.URL, err)
		}
		sound(t, b, err)
		bars[b.Series[0].Key()] = append(bars[b.Series[0].Key()], b.Series[0].Bars...)
	}
	for key, want := range map[market.SeriesKey]int{
		{Symbol: "BTC-USD", Interval: market.Day}: 458, {Symbol: "ETH-USD", Interval: market.Day}: 457,
		{Symbol: "BTC-USD", Interval: market.Hour}: 736, {Symbol: "ETH-USD", Interval: market.Hour}: 736,
		{Symbol: "BTC-USD", Interval: market.Minute}: 2371, {Symbol: "ETH-USD", Interval: market.Minute}: 2371,
	} {
		list := bars[key]
		if len(list) != want {
			t.Errorf("%v: %d bars, want %d", key, len(list), want)
		}
		for n, bar := range list {
			if n > 0 && !list[n-1].Start.Before(bar.Start) {
				t.Errorf("%v: %s comes after %s", key, bar.Start, list[n-1].Start)
			}
			if err := bar.Check(now); err != nil || bar.Provisional != (n == len(list)-1) {
				t.Errorf("%v: %+v: %v", key, bar, err)
			}
		}
	}
	got := bars[market.SeriesKey{Symbol: "ETH-USD", Interval: market.Day}][123]
	if text(got) != "2017-05-07 1.25 2.5 1 2 0.00000001" {
		t.Errorf("got %s", text(got))
	}
}

// TestUpstreamRefuses: the fake is as strict as the exchange, so that tests with it
// prove something.
func TestUpstreamRefuses(t *testing.T) {
	now := time.Date(2018, 4, 5, 15, 30, 20, 0, time.UTC)
	up := coinbasetest.New(now.Add(-48*time.Hour), now, "BTC-USD")
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/products/NOSUCH-USD/candles", 404, `{"message":"NotFound"}`},
		{"/products/BTC-USD/ticker", 404, `{"message":"NotFound"}`},
		{"/", 404, `{"message":"NotFound"}`},
		{"/products/BTC-USD/candles?granularity=60", 400, `{"message":"Bad request"}`},
		{
			"/products/BTC-USD/candles?granularity=60&start=2018-04-05T00:00:00Z&end=2018-04-05T05:00:00Z", 400,
			`{"message":"granularity too small for the requested time range. Count of aggregations requested exceeds 300"}`,
		},
		{"/products/BTC-USD/candles?granularity=60&start=2018-01-01T00:00:00Z&end=2018-01-01T04:59:00Z", 200, "[]"},
	} {
		w := httptest.NewRecorder()
		up.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Date") != "Thu, 05 Apr 2018 15:30:20 GMT" {
			t.Errorf("%s: %d %s %v", c.path, w.Code, w.Body, w.Header())
		}
	}
	minute := now.Truncate(time.Minute)
	before := up.Values("BTC-USD", market.Minute, minute)
	up.SetNow(now.Add(10 * time.Second))
	if after := up.Values("BTC-USD", market.Minute, minute); before == "" || before == after {
		t.Errorf("the candle under way stays %s", before)
	}
}
