package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bourse/internal/market"
)

// loadActions loads ten sessions of SHARE at 100, 110, …, which then splits in two and
// pays a dividend. What is known of the dividend changes a day later.
func (f *fixture) loadActions(t *testing.T) (before, after string) {
	t.Helper()
	source := market.Source{Name: "shares", Licence: market.Public, Calendar: market.EveryDay, Zone: "UTC"}
	load := func(b market.Batch, text string) {
		t.Helper()
		id, err := f.store.StartRun(t.Context(), source, "manual", f.now)
		if err != nil {
			t.Fatal(err)
		}
		b.Payload = market.Payload{RunID: id, Source: "shares", Resource: "r", ReceivedAt: f.now, SHA256: market.SHA256([]byte(text)), Status: 200}
		b.Instruments = []market.Instrument{{
			Symbol: "SHARE", Name: "A share", Kind: market.Equity, Base: "SHARE", Quote: "USD", Source: "shares", Calendar: market.EveryDay, Licence: market.Public,
		}}
		if _, err := f.store.Load(t.Context(), b, func(market.Counts) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	number := func(text string) market.Decimal {
		d, err := market.ParseDecimal(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	s := market.Series{Symbol: "SHARE", Interval: market.Day}
	for i, price := range []string{"100", "110", "120", "65", "60", "57"} {
		s.Bars = append(s.Bars, market.Fixing(market.NewDate(2026, 3, 9+i), number(price)))
	}
	load(market.Batch{
		Series: []market.Series{s},
		Actions: []market.ActionList{
			{Symbol: "SHARE", Kind: market.Split, Actions: []market.Action{{Day: market.NewDate(2026, 3, 12), Value: number("2")}}},
			{Symbol: "SHARE", Kind: market.Dividend, Actions: []market.Action{{Day: market.NewDate(2026, 3, 14), Value: number("6")}}},
		},
	}, "first")
	before = f.now.Format("2006-01-02T15:04:05Z")
	f.now = f.now.AddDate(0, 0, 1)
	load(market.Batch{Actions: []market.ActionList{
		{Symbol: "SHARE", Kind: market.Dividend, Actions: []market.Action{{Day: market.NewDate(2026, 3, 14), Value: number("3")}}},
	}}, "second")
	return before, f.now.Format("2006-01-02T15:04:05Z")
}

func TestAdjustment(t *testing.T) {
	f := newFixture(t)
	before, after := f.loadActions(t)
	for query, want := range map[string]string{
		"":                               "100 110 120 65 60 57",
		"adjustment=raw":                 "100 110 120 65 60 57",
		"adjustment=split":               "50 55 60 65 60 57",
		"adjustment=all":                 "47.5 52.25 57 61.75 57 57", // 1 - 3/60
		"adjustment=all&as_of=" + before: "45 49.5 54 58.5 54 57",     // 1 - 6/60
		"adjustment=all&as_of=" + after:  "47.5 52.25 57 61.75 57 57",
		"adjustment=all&order=desc":      "57 57 61.75 57 52.25 47.5",
		"adjustment=all&limit=2":         "47.5 52.25",
		// What lies behind the range counts too.
		"adjustment=all&from=2026-03-10&to=2026-03-12":            "52.25 57",
		"adjustment=all&from=2026-03-10&to=2026-03-12&order=desc": "57 52.25",
		"adjustment=all&from=2026-03-14":                          "57",
		"adjustment=all&to=2020-01-01":                            "",
	} {
		var p page
		f.read(t, "/api/v1/bars/SHARE?"+query, &p)
		var got []string
		for _, b := range p.Bars {
			got = append(got, b.Close.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", query, strings.Join(got, " "), want)
		}
	}
	// Pages of adjusted bars are the bars in pages.
	var closes []string
	for target := "/api/v1/bars/SHARE?adjustment=split&limit=4&order=desc"; target != ""; {
		var p page
		f.read(t, target, &p)
		for _, b := range p.Bars {
			closes = append(closes, b.Close.String())
		}
		target = ""
		if p.Next != "" {
			target = "/api/v1/bars/SHARE?adjustment=split&limit=4&order=desc&cursor=" + p.Next
		}
	}
	if got := strings.Join(closes, " "); got != "57 60 65 60 55 50" {
		t.Errorf("in pages: %s", got)
	}
	var stats struct {
		Adjustment string
		Max        struct{ Close float64 }
	}
	f.read(t, "/api/v1/stats/SHARE?adjustment=split", &stats)
	if stats.Adjustment != "split" || stats.Max.Close != 65 {
		t.Errorf("stats: %+v", stats)
	}
	w := f.get("/api/v1/bars/SHARE?adjustment=all&to=2026-03-12")
	if cc := w.Header().Get("Cache-Control"); cc != "no-cache" || !strings.HasPrefix(w.Body.String(), `{"symbol":"SHARE","interval":"1d","adjustment":"all","bars":[`) {
		t.Errorf("%s %s", cc, w.Body)
	}
	for _, target := range []string{
		"/api/v1/bars/SHARE?adjustment=some", "/api/v1/bars/BTC-USD?interval=1h&adjustment=split", "/api/v1/stats/BTC-USD?interval=1h&adjustment=all",
	} {
		if w := f.get(target); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"adjustment"`) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// TestQuoteOverSplit makes sure that a split does not look like a fall.
func TestQuoteOverSplit(t *testing.T) {
	f := newFixture(t)
	f.loadActions(t)
	var all struct {
		Quotes []struct {
			Close, Previous float64
			History         []float64
		}
	}
	f.read(t, "/api/v1/quotes?symbols=SHARE&history=6", &all)
	if got := fmt.Sprint(all.Quotes); got != "[{57 60 [50 55 60 65 60 57]}]" {
		t.Error(got)
	}
}

func TestActions(t *testing.T) {
	f := newFixture(t)
	before, _ := f.loadActions(t)
	first, second := market.SHA256([]byte("first")), market.SHA256([]byte("second"))
	csv := f.get("/api/v1/actions/SHARE?format=csv&as_of=" + before).Body.String()
	if want := "kind,day,value,known_at,sha256\r\ndividend,2026-03-14,6," + before + "," + first + "\r\nsplit,2026-03-12,2," + before + "," + first + "\r\n"; strings.ReplaceAll(csv, "\r\n", "\n") != strings.ReplaceAll(want, "\r\n", "\n") {
		t.Errorf("got  %q\nwant %q", csv, want)
	}
	if now := f.get("/api/v1/actions/SHARE").Body.String(); !strings.Contains(now, `{"kind":"dividend","day":"2026-03-14","value":3,`) || !strings.Contains(now, second) {
		t.Errorf("now: %s", now)
	}
	if none := f.get("/api/v1/actions/EURUSD").Body.String(); none != `{"actions":[],"next":null}` {
		t.Errorf("of a rate: %s", none)
	}
}
