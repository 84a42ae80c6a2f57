package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOverview(t *testing.T) {
	body := page(t, newTestSite(t, newFakeAPI()), "/", http.StatusOK)
	wantText(t, body,
		"<title>Market overview – bourse</title>",
		`<a href="/instruments/EURUSD">EURUSD</a> <span class="name">US dollar</span>`,
		"19,365.89", // grouped
		"−0.14\u00a0%", "▼",
		"Exchange rates", "Crypto", "13 April 2026",
		"154 publishing days behind",
		"1 series no longer published", `<a href="/instruments/EURHRK">`,
	)
	if n := strings.Count(body, `class="line"`); n != 6 {
		t.Errorf("%d curves, want 6", n)
	}
}

func TestWaitingForTheFirstData(t *testing.T) {
	api := newFakeAPI()
	api.series = nil
	site := newTestSite(t, api)
	for _, target := range []string{"/", "/convert"} {
		wantText(t, page(t, site, target, http.StatusOK), "Waiting for the first data", "data-refresh",
			`<noscript><meta http-equiv="refresh"`)
	}
}

func TestInstrumentOfFixings(t *testing.T) {
	body := page(t, newTestSite(t, newFakeAPI()), "/instruments/EURUSD?range=5y", http.StatusOK)
	wantText(t, body,
		"<title>EURUSD, US dollar – bourse</title>", "USD for 1 EUR",
		`<a href="?range=5y" data-from="2021-04-13" aria-current="true">5Y</a>`,
		`<a href="?range=1m" data-from="2026-03-13">1M</a>`,
		`data-candles="false"`, "The newest 60 of 400 values",
		"/api/v1/bars/EURUSD?format=csv&amp;from=2021-04-13", "format=ndjson",
		`href="/lineage/EURUSD/2026-04-13"`, "1.1512", "7.89\u00a0%",
	)
	wantNoText(t, body, "Volume")
}

func TestInstrumentOfCandles(t *testing.T) {
	body := page(t, newTestSite(t, newFakeAPI()), "/instruments/BTC-USD", http.StatusOK)
	wantText(t, body, `data-candles="true"`, ">Volume</th>", "1,234.5", "provisional", "63,440.00")
}

func TestInstrumentOfHours(t *testing.T) {
	api := newFakeAPI()
	site := newTestSite(t, api)
	body := visit(site, "/instruments/ETH-USD?interval=1h", fakeKey).Body.String()
	wantText(t, body,
		`<a href="?interval=1d">1 day</a>`, `<a href="?interval=1h" aria-current="true">1 hour</a>`, `<a href="?interval=1m">1 minute</a>`,
		`<a href="?interval=1h&amp;range=1w" data-from="2026-04-06T14:00:00Z" aria-current="true">1W</a>`,
		`data-query="interval=1h"`, "interval=1h&amp;limit=10000", `download="ETH-USD-1h.csv"`, "Start, UTC",
		`<time datetime="2026-04-13T14:00:00Z"><span class="extra">2026-</span>04-13 14:00</time> <span class="badge provisional">provisional</span>`,
		`href="/lineage/ETH-USD/2026-04-13T13:00:00Z?interval=1h"`, "draws it hollow", " UTC, 240 values", `<path class="open fall" d="M`,
	)
	if n := strings.Count(body, "badge provisional"); n != 2 { // in the note and the table
		t.Errorf("%d bars are marked as provisional", n)
	}
	wantText(t, visit(site, "/instruments/ETH-USD?interval=1m", fakeKey).Body.String(),
		"There are no bars of this length yet", `<a href="?interval=1h">1 hour</a>`)
	body = visit(site, "/instruments/ETH-USD?interval=1y&range=3m", fakeKey).Body.String()
	wantText(t, body, `data-query="interval=1d"`, `<a href="?range=3m" data-from="2026-01-13" aria-current="true">3M</a>`)
	wantNoText(t, page(t, site, "/instruments/EURUSD?interval=1h", http.StatusOK), "1 hour", "interval=1h")
}

func TestInstrumentOfShares(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	body := visit(site, "/instruments/AAPL?range=3m", fakeKey).Body.String()
	wantText(t, body, "adjusted for splits: older", `<a href="?range=3m" aria-current="true">Splits</a>`,
		`<a href="?adjustment=all&amp;range=3m">Splits and dividends</a>`, `<a href="?adjustment=raw&amp;range=3m">As traded</a>`,
		`data-query="adjustment=split&amp;interval=1d"`, "adjustment=split&amp;format=csv", `download="AAPL-split.csv"`,
		"since the value before, adjusted", `<data value="1234.5">1,234</data>`, ">62.28<")
	wantNoText(t, body, "62.280000")
	body = visit(site, "/instruments/AAPL?adjustment=raw", fakeKey).Body.String()
	wantText(t, body, "as they were traded", `<a href="?adjustment=raw&amp;range=5y" data-from`, `download="AAPL.csv"`, "since the value before<")
	wantNoText(t, page(t, site, "/instruments/EURUSD?adjustment=all", http.StatusOK), "adjustment=all&amp;", "Splits")
}

func TestInstrumentThatHasEnded(t *testing.T) {
	body := page(t, newTestSite(t, newFakeAPI()), "/instruments/EURHRK", http.StatusOK)
	wantText(t, body, "ended 2022-12-30", "no longer publishes this series", `data-from="2021-12-30"`)
	wantNoText(t, body, "publishing days behind")
}

func TestLineage(t *testing.T) {
	body := page(t, newTestSite(t, newFakeAPI()), "/lineage/EURUSD/2026-04-13", http.StatusOK)
	wantText(t, body,
		"1.1684", "1.1680", "current", "replaced", `href="/status#run-12"`, "1.5 KiB",
		`<time datetime="2026-04-13T14:05:11Z">`, `href="/api/v1/payloads/`+fakeSHA+`"`,
		"curl -s http://example.com/api/v1/payloads/"+fakeSHA+" | sha256sum",
	)
}

func TestLineageOfAnHour(t *testing.T) {
	body := visit(newTestSite(t, newFakeAPI()), "/lineage/ETH-USD/2026-04-13T14:00:00Z?interval=1h", fakeKey).Body.String()
	wantText(t, body, "Every value this hour has had", "13 April 2026, 14:00 UTC", `curl -s -H "Authorization: Bearer $KEY" http://`)
}

func TestConvert(t *testing.T) {
	site := newTestSite(t, newFakeAPI())
	body := page(t, site, "/convert?from=USD&to=JPY&amount=100", http.StatusOK)
	wantText(t, body,
		`<data id="result" value="15936.32317699418">15,936.32</data>`, "159.363232", "13 April 2026",
		`<option value="USD" selected>USD – US dollar</option>`, `<option value="EUR">EUR – Euro</option>`,
		`<optgroup label="No longer published"><option value="HRK">HRK – Croatian kuna, until 2022-12-30</option>`,
		`href="/lineage/EURUSD/2026-04-13"`, `href="/lineage/EURJPY/2026-04-13"`,
	)
	wantNoText(t, body, `aria-invalid`)

	body = page(t, site, "/convert?from=USD&to=JPY&amount=abc", http.StatusOK)
	wantText(t, body, `<p id="error-amount" class="error">The amount abc is not a decimal number.</p>`,
		`value="abc" inputmode="decimal" autocomplete="off" aria-describedby="error-amount" aria-invalid="true"`)
	wantNoText(t, body, `id="result"`)
}

func TestConvertSwapped(t *testing.T) {
	w := httptest.NewRecorder()
	site := newTestSite(t, newFakeAPI())
	site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/convert?from=USD&to=JPY&amount=5&swap=1", nil))
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != "/convert?amount=5&from=JPY&to=USD" {
		t.Errorf("status %d, Location %q", w.Code, got)
	}
}

func TestStatus(t *testing.T) {
	api := newFakeAPI()
	site := newTestSite(t, api)
	body := page(t, site, "/status", http.StatusOK)
	wantText(t, body,
		"expected 20 November 2026", "behind</span>", "publishes 16:00 Europe/Berlin", `<tr id="run-12">`,
		"will be tried again", "the daily file answered 503", "1.25s", `href="/status?runs=r10#runs"`,
		"price is not positive", "&lt;b&gt;-1&lt;/b&gt;", "held back",
	)

	api.sources[0]["last_run"], api.sources[0]["last_ok"] = nil, nil
	api.sources[0]["newest"], api.sources[0]["next_run"], api.sources[0]["behind"] = nil, nil, 0
	wantText(t, page(t, site, "/status", http.StatusOK), "none yet", "not planned", ">waiting<")

	api.sources[0]["last_run"] = fakeRun(13, "needs-person")
	wantText(t, page(t, site, "/status", http.StatusOK), "needs a person", ">failing<")
}
