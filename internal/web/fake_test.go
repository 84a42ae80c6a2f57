package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// fakeAPI answers like the API does, from a few invented series.
type fakeAPI struct {
	series    []fakeSeries
	simulated bool
	down      bool // answers 503, as a proxy does when the service is gone
	busy      bool // answers 429
	sources   []map[string]any
	seen      []*http.Request
}

type fakeSeries struct {
	instrument map[string]any
	bars       []fakeBar            // daily
	shorter    map[string][]fakeBar // by interval
}

type fakeBar struct {
	Start       string      `json:"start"`
	Open        json.Number `json:"open"`
	High        json.Number `json:"high"`
	Low         json.Number `json:"low"`
	Close       json.Number `json:"close"`
	Volume      json.Number `json:"volume"`
	Provisional bool        `json:"provisional"`
}

const fakeSHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func newFakeAPI() *fakeAPI {
	f := &fakeAPI{}
	for _, s := range []struct {
		quote, name string
		base        float64
		decimals    int
		last        string
	}{
		{"CHF", "Swiss franc", 0.9242, 4, "2026-04-13"},
		{"GBP", "Pound sterling", 0.8719, 5, "2026-04-13"},
		{"JPY", "Japanese yen", 186.2, 2, "2026-04-13"},
		{"IDR", "Indonesian rupiah", 19987.5, 2, "2026-04-13"},
		{"USD", "US dollar", 1.1684, 4, "2026-04-13"},
		{"HRK", "Croatian kuna", 7.5365, 4, "2022-12-30"},
	} {
		f.addFixings(s.quote, s.name, s.base, s.decimals, s.last)
	}
	f.addCandles("BTC-USD", "Bitcoin", "crypto", "BTC", "ecb", "public", 61000)
	f.addCandles("ETH-USD", "ETH / USD", "crypto", "ETH", "coinbase", "internal", 3100)
	f.addHours("ETH-USD", 3100)
	f.addCandles("AAPL", "Apple Inc.", "equity", "AAPL", "alphavantage", "internal", 240)
	f.sources = []map[string]any{fakeSource(), fakeInternalSource("coinbase", "Coinbase Exchange"),
		fakeInternalSource("alphavantage", "Alpha Vantage")}
	return f
}

func (f *fakeAPI) addFixings(quote, name string, base float64, decimals int, last string) {
	var bars []fakeBar
	end, _ := time.Parse(time.DateOnly, last)
	for i := range 400 {
		price := base * (1 + 0.03*wave(i) + 0.004*wave(i*7))
		text := json.Number(fmt.Sprintf("%.*f", decimals, price))
		day := end.AddDate(0, 0, i-399).Format(time.DateOnly)
		bars = append(bars, fakeBar{Start: day, Open: text, High: text, Low: text, Close: text})
	}
	f.add("EUR"+quote, name, "fx", "EUR", quote, bars, last < "2026")
}

func (f *fakeAPI) addCandles(symbol, name, kind, base, source, licence string, price float64) {
	end, _ := time.Parse(time.DateOnly, "2026-04-13")
	bars := fakeCandles(120, price, func(i int) string { return end.AddDate(0, 0, i-119).Format(time.DateOnly) })
	f.add(symbol, name, kind, base, "USD", bars, false)
	in := f.series[len(f.series)-1].instrument
	in["source"], in["licence"] = source, licence
}

// addHours adds ten days of hours to a series, the last of them provisional.
func (f *fakeAPI) addHours(symbol string, price float64) {
	end := time.Date(2026, 4, 13, 14, 0, 0, 0, time.UTC)
	f.find(symbol).shorter = map[string][]fakeBar{"1h": fakeCandles(240, price, func(i int) string {
		return end.Add(time.Duration(i-239) * time.Hour).Format(time.RFC3339)
	})}
}

// fakeCandles are bars with a range, of which the last is provisional.
func fakeCandles(count int, price float64, start func(int) string) []fakeBar {
	var bars []fakeBar
	number := func(f float64) json.Number { return json.Number(fmt.Sprintf("%.2f", f)) }
	for i := range count {
		open, closes := price*(1+0.04*wave(i)), price*(1+0.04*wave(i+1))
		bars = append(bars, fakeBar{
			Start: start(i), Open: number(open), Close: number(closes),
			High: number(max(open, closes) + price/200), Low: number(min(open, closes) - price/200),
			Volume: "1234.5", Provisional: i == count-1,
		})
	}
	return bars
}

// wave goes up and down without any random number.
func wave(i int) float64 {
	x := float64(i%80) / 80
	return 1 - 4*max(x-0.5, 0.5-x)
}

func (f *fakeAPI) add(symbol, name, kind, base, quote string, bars []fakeBar, ended bool) {
	f.series = append(f.series, fakeSeries{bars: bars, instrument: map[string]any{
		"symbol": symbol, "name": name, "kind": kind, "base": base, "quote": quote, "source": "ecb",
		"calendar": "TARGET", "licence": "public", "ended": ended,
		"first": bars[0].Start, "last": bars[len(bars)-1].Start,
	}})
}

func fakeSource() map[string]any {
	ran := fakeRun(12, "ok")
	return map[string]any{
		"name": "ecb", "title": "ECB euro foreign exchange reference rates", "homepage": "https://www.ecb.europa.eu/",
		"attribution": "Source: European Central Bank.", "licence": "public", "calendar": "TARGET",
		"publishes": "16:00 Europe/Berlin", "next_run": "2026-11-23T15:05:00Z", "newest": "2026-04-13",
		"expected": "2026-11-20", "behind": 154, "instruments": 41, "ended": 11, "bars": 226000, "revisions": 2,
		"rejected": 1, "flagged": 3, "last_run": ran, "last_ok": ran,
	}
}

func fakeInternalSource(name, title string) map[string]any {
	s := fakeSource()
	s["name"], s["title"], s["licence"], s["attribution"], s["behind"] = name, title, "internal", "", 0
	return s
}

func fakeRun(id int, outcome string) map[string]any {
	r := map[string]any{
		"id": id, "source": "ecb", "trigger": "schedule", "started_at": "2026-11-22T20:00:00Z",
		"finished_at": "2026-11-22T20:00:01.250Z", "outcome": outcome, "error": "", "retry_at": nil,
		"requests": 3, "payloads": 3, "bars": 226000, "inserted": 31, "revised": 1, "unchanged": 225968,
		"rejected": 1, "flagged": 3, "newest": "2026-04-13", "lag_seconds": 100,
	}
	if outcome != "ok" {
		r["error"] = "the daily file answered 503"
		r["retry_at"] = "2026-11-22T21:00:00Z"
	}
	return r
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.seen = append(f.seen, r)
	if f.down {
		http.Error(w, "dial tcp 10.0.0.7:8080: connection refused", http.StatusBadGateway)
		return
	}
	if f.refused(w, r) {
		return
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	switch name {
	case "instruments":
		f.instruments(w, rest)
	case "quotes":
		f.quotes(w, r)
	case "bars":
		f.bars(w, rest, r.URL.Query())
	case "stats":
		f.stats(w, rest, r.URL.Query())
	case "convert":
		f.convert(w, r.URL.Query())
	case "lineage":
		f.lineage(w, rest, r.URL.Query().Get("interval"))
	case "runs":
		f.write(w, map[string]any{"runs": []any{fakeRun(12, "ok"), fakeRun(11, "retry-after")}, "next": "r10"})
	case "quarantine":
		f.write(w, map[string]any{"quarantine": []any{map[string]any{
			"id": 1, "source": "ecb", "symbol": "EURUSD", "interval": "1d", "start": "2026-04-10", "raw": "<b>-1</b>",
			"reason": "price is not positive", "loaded": false, "run": 12, "payload": fakeSHA, "found_at": "2026-11-22T20:00:01Z",
		}, map[string]any{
			"id": 2, "source": "coinbase", "symbol": "ETH-USD", "interval": "1h", "start": "2026-04-10T08:00:00Z", "raw": "",
			"reason": "volume is negative", "loaded": false, "run": 12, "payload": fakeSHA, "found_at": "2026-11-22T20:00:01Z",
		}}, "next": nil})
	case "sources":
		f.write(w, map[string]any{"sources": f.sources})
	case "stream":
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	default:
		f.fail(w, http.StatusNotFound, "", "no such resource")
	}
}

// The keys that the fake knows.
const (
	fakeKey     = "bourse_all"  // opens every series
	fakeEmpty   = "bourse_none" // opens none
	fakeRevoked = "bourse_gone"
)

// refused answers what a caller may not ask, as the API's access.go does.
func (f *fakeAPI) refused(w http.ResponseWriter, r *http.Request) bool {
	header := r.Header.Get("Authorization")
	known := header == "" || header == "Bearer "+fakeKey || header == "Bearer "+fakeEmpty
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	symbol, _, _ := strings.Cut(rest, "/")
	if name == "quotes" {
		symbol = r.URL.Query().Get("symbols")
	}
	s := f.find(symbol)
	closed := s != nil && s.instrument["licence"] == "internal" && name != "instruments"
	switch {
	case f.busy:
		w.Header().Set("Retry-After", "7")
		f.refuse(w, http.StatusTooManyRequests, "too-many-requests")
	case !known:
		f.refuse(w, http.StatusUnauthorized, "invalid-key")
	case closed && header == "":
		f.refuse(w, http.StatusUnauthorized, "key-required")
	case closed && header != "Bearer "+fakeKey:
		f.refuse(w, http.StatusForbidden, "forbidden")
	default:
		return false
	}
	return true
}

func (f *fakeAPI) refuse(w http.ResponseWriter, status int, slug string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "urn:bourse:problem:" + slug, "title": http.StatusText(status), "status": status,
	})
}

func (f *fakeAPI) write(w http.ResponseWriter, answer map[string]any) {
	if f.simulated {
		answer["simulated"] = true
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fakeAPI) fail(w http.ResponseWriter, status int, parameter, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail, "parameter": parameter,
	})
}

func (f *fakeAPI) find(symbol string) *fakeSeries {
	for i := range f.series {
		if f.series[i].instrument["symbol"] == symbol {
			return &f.series[i]
		}
	}
	return nil
}

func (f *fakeAPI) instruments(w http.ResponseWriter, symbol string) {
	if symbol != "" {
		s := f.find(symbol)
		if s == nil {
			f.fail(w, http.StatusNotFound, "", "There is no instrument "+symbol+".")
			return
		}
		f.write(w, s.instrument)
		return
	}
	all := []any{}
	for _, s := range f.series {
		all = append(all, s.instrument)
	}
	f.write(w, map[string]any{"instruments": all, "next": nil})
}

func (f *fakeAPI) quotes(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	quotes := []any{}
	for _, s := range f.series {
		if s.instrument["licence"] == "internal" && r.Header.Get("Authorization") != "Bearer "+fakeKey {
			continue
		}
		symbol := s.instrument["symbol"].(string)
		if wanted := query.Get("symbols"); wanted != "" && wanted != symbol || wanted == "" && s.instrument["ended"] == true {
			continue
		}
		n := len(s.bars)
		history := []json.Number{}
		if query.Get("history") != "0" {
			for _, b := range s.bars[n-60:] {
				history = append(history, b.Close)
			}
		}
		q := map[string]any{
			"start": s.bars[n-1].Start, "close": s.bars[n-1].Close, "previous": s.bars[n-2].Close,
			"change": json.Number("-0.0016"), "change_percent": json.Number("-0.1367521"), "history": history,
		}
		for _, key := range []string{"symbol", "name", "kind", "base", "quote", "source", "ended"} {
			q[key] = s.instrument[key]
		}
		quotes = append(quotes, q)
	}
	f.write(w, map[string]any{"quotes": quotes})
}

func (f *fakeAPI) bars(w http.ResponseWriter, symbol string, query url.Values) {
	bars := []fakeBar{}
	for _, b := range f.find(symbol).of(query) {
		if b.Start < query.Get("from") {
			continue
		}
		if query.Get("order") == "desc" {
			bars = append([]fakeBar{b}, bars...)
		} else {
			bars = append(bars, b)
		}
	}
	if query.Get("limit") == "1" {
		bars = bars[:min(1, len(bars))]
	}
	f.write(w, map[string]any{"symbol": symbol, "interval": query.Get("interval"), "bars": bars, "next": nil})
}

// of returns the bars that a query asks for. Adjusted prices are a quarter of the
// traded ones but for the newest, as after a split.
func (s *fakeSeries) of(query url.Values) []fakeBar {
	if interval := query.Get("interval"); interval != "1d" {
		return s.shorter[interval]
	}
	if query.Get("adjustment") != "split" {
		return s.bars
	}
	bars := slices.Clone(s.bars)
	quarter := func(n json.Number) json.Number { return json.Number(fmt.Sprintf("%.6f", float(n)/4)) }
	for i := range bars[:len(bars)-1] {
		b := &bars[i]
		b.Open, b.High, b.Low, b.Close = quarter(b.Open), quarter(b.High), quarter(b.Low), quarter(b.Close)
	}
	return bars
}

func (f *fakeAPI) stats(w http.ResponseWriter, symbol string, query url.Values) {
	bars := f.find(symbol).of(query)
	first, last := bars[0], bars[len(bars)-1]
	point := func(b fakeBar) map[string]any { return map[string]any{"start": b.Start, "close": b.Close} }
	f.write(w, map[string]any{
		"symbol": symbol, "interval": "1d", "count": len(bars), "first": point(first), "last": point(last),
		"min": point(first), "max": point(last), "mean": 1.15123456, "change_percent": 3.4567, "volatility": 7.891,
	})
}

func (f *fakeAPI) convert(w http.ResponseWriter, query url.Values) {
	switch amount := query.Get("amount"); {
	case strings.ContainsAny(amount, "abc<>") || amount == "":
		f.fail(w, http.StatusBadRequest, "amount", "The amount "+amount+" is not a decimal number.")
	case query.Get("date") == "1900-01-01":
		f.fail(w, http.StatusBadRequest, "date", "There is no rate on or before that date.")
	default:
		f.write(w, map[string]any{
			"from": query.Get("from"), "to": query.Get("to"), "amount": json.Number(amount), "date": "2026-04-13",
			"rate": json.Number("159.3632317699418"), "result": json.Number("15936.32317699418"),
			"legs": []any{
				map[string]any{"symbol": "EURUSD", "start": "2026-04-13", "close": json.Number("1.1684")},
				map[string]any{"symbol": "EURJPY", "start": "2026-04-13", "close": json.Number("186.2")},
			},
		})
	}
}

func (f *fakeAPI) lineage(w http.ResponseWriter, rest, interval string) {
	symbol, period, _ := strings.Cut(rest, "/")
	if f.find(symbol) == nil {
		f.fail(w, http.StatusNotFound, "", "There is no instrument "+symbol+".")
		return
	}
	entry := func(price json.Number, current bool, run int) map[string]any {
		return map[string]any{
			"open": price, "high": price, "low": price, "close": price, "volume": nil, "provisional": false,
			"known_at": "2026-04-13T14:05:11Z", "current": current, "run": run,
			"payload": map[string]any{
				"sha256": fakeSHA, "resource": "daily", "url": "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
				"status": 200, "received_at": "2026-04-13T14:05:11Z", "size": 1547, "href": "/api/v1/payloads/" + fakeSHA,
			},
		}
	}
	f.write(w, map[string]any{"symbol": symbol, "interval": interval, "start": period,
		"versions": []any{entry("1.1684", true, 12), entry("1.168", false, 11)}})
}
