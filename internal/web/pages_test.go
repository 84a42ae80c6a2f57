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
	wantText(t, body, `data-candles="true"`, ">Volume</th>", "1,234.5", "provisional", "63,500.00")
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
