package alerts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/replaytest"
)

// upstream is a replay server whose recorded days are shifted to those of now.
type upstream struct {
	*replaytest.Server
	URL   string // of what shifts
	shift map[string]time.Duration
	mu    sync.Mutex
	late  map[string]time.Duration // by how much a source is behind
}

// recorded ends before this day, of each source.
var recorded = map[string]market.Date{
	"ecb":          market.NewDate(2026, time.April, 10),
	"alphavantage": market.NewDate(2021, time.March, 29),
}

// minutes is a day of which every minute of Coinbase's is recorded.
var minutes = market.NewDate(2018, time.April, 5)

// newUpstream starts a replay server for the length of a test.
func newUpstream(t *testing.T) *upstream {
	u := &upstream{Server: replaytest.Start(t, "-limits=false"), shift: map[string]time.Duration{}, late: map[string]time.Duration{}}
	now := time.Now()
	u.shift["ecb"] = weeks(now, recorded["ecb"], market.TARGET)
	u.shift["alphavantage"] = weeks(now, recorded["alphavantage"], market.XNYS)
	u.shift["coinbase"] = now.UTC().Truncate(24 * time.Hour).Sub(minutes.Time())
	if left := 24*time.Hour - now.UTC().Sub(now.UTC().Truncate(24*time.Hour)); left < 30*time.Minute {
		t.Skipf("Coinbase's recorded day ends in %s, at midnight UTC", left.Round(time.Minute))
	}
	target, err := url.Parse(u.Server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); u.ask(r.Out) },
		ModifyResponse: u.answer,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.CloseClientConnections)
	u.URL = server.URL
	for provider := range u.shift {
		u.follow(t, provider)
	}
	return u
}

// weeks is the least shift by whole weeks to before a day, such that the calendar has the
// same days open in the last two weeks, so that those that should have bars have them.
func weeks(now time.Time, before market.Date, calendar market.Calendar) time.Duration {
	today := market.DateOf(now)
	for n := market.Date(7); ; n += 7 {
		alike := today-n < before
		for d := today - 14; alike && d <= today; d++ {
			alike = calendar.Open(d) == calendar.Open(d-n)
		}
		if alike {
			return time.Duration(n) * 24 * time.Hour
		}
	}
}

// follow sets the replay server's clock of a provider to now.
func (u *upstream) follow(t *testing.T, provider string) {
	t.Helper()
	u.mu.Lock()
	late := u.late[provider]
	u.mu.Unlock()
	at := time.Now().Add(-u.shift[provider] - late).UTC().Format(time.RFC3339)
	body := fmt.Sprintf(`{"now":%q,"provider":%q}`, at, provider)
	resp, err := http.Post(u.Server.URL+"/_replay/now", "application/json", strings.NewReader(body))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the clock of %s: %v, %v", provider, resp, err)
		return
	}
	resp.Body.Close()
}

// keepUp sets all clocks to now, again and again until the test ends.
func (u *upstream) keepUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var loop sync.WaitGroup
	t.Cleanup(func() { cancel(); loop.Wait() })
	loop.Go(func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				for provider := range u.shift {
					u.follow(t, provider)
				}
			case <-ctx.Done():
				return
			}
		}
	})
}

func (u *upstream) setLate(provider string, by time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.late[provider] = by
}

func providerOf(path string) string {
	switch {
	case strings.Contains(path, "/eurofxref"):
		return "ecb"
	case strings.HasPrefix(path, "/query"):
		return "alphavantage"
	}
	return "coinbase"
}

// ask shifts what is asked for back to when it was recorded.
func (u *upstream) ask(r *http.Request) {
	r.Header.Del("Accept-Encoding")
	values := r.URL.Query()
	for _, name := range []string{"start", "end"} {
		if at, err := time.Parse(time.RFC3339, values.Get(name)); err == nil {
			values.Set(name, at.Add(-u.shift["coinbase"]).Format(time.RFC3339))
			r.URL.RawQuery = values.Encode()
		}
	}
}

var (
	days    = regexp.MustCompile(`['"](?:19|20)\d\d-\d\d-\d\d['"]`) // quoted: name spaces of XML have days too
	candles = regexp.MustCompile(`\[(1[2-9]\d{8}),`)
)

// answer shifts what is answered to now. What is broken stays so.
func (u *upstream) answer(r *http.Response) error {
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	provider := providerOf(r.Request.URL.Path)
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil || r.Body.Close() != nil {
		return fmt.Errorf("broken off: %w", err)
	}
	shift := u.shift[provider]
	if provider == "coinbase" {
		body = candles.ReplaceAllFunc(body, func(at []byte) []byte {
			n, _ := strconv.ParseInt(string(at[1:len(at)-1]), 10, 64)
			return fmt.Appendf(nil, "[%d,", n+int64(shift.Seconds()))
		})
	} else {
		body = days.ReplaceAllFunc(body, func(day []byte) []byte {
			quote := day[0]
			at, err := time.Parse(time.DateOnly, string(day[1:len(day)-1]))
			if err != nil {
				return day
			}
			return fmt.Appendf(nil, "%c%s%c", quote, at.Add(shift).Format(time.DateOnly), quote)
		})
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// env names the upstream to bourse.
func (u *upstream) env() []string {
	return []string{
		"BOURSE_ECB_URL=" + u.URL + "/stats/eurofxref", "BOURSE_COINBASE_URL=" + u.URL, "BOURSE_COINBASE_PRODUCTS=BTC-USD",
		"BOURSE_ALPHAVANTAGE_URL=" + u.URL, "BOURSE_ALPHAVANTAGE_SYMBOLS=AAPL", "BOURSE_ALPHAVANTAGE_KEY=drill",
	}
}
