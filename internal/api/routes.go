package api

import "net/http"

// routes is the whole surface.
func (a *API) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /api/v1/instruments":               a.instruments,
		"GET /api/v1/instruments/{symbol}":      a.instrument,
		"GET /api/v1/bars/{symbol}":             a.bars,
		"GET /api/v1/actions/{symbol}":          a.actions,
		"GET /api/v1/quotes":                    a.quotes,
		"GET /api/v1/convert":                   a.convert,
		"GET /api/v1/stats/{symbol}":            a.stats,
		"GET /api/v1/lineage/{symbol}/{period}": a.lineage,
		"GET /api/v1/runs":                      a.runs,
		"GET /api/v1/quarantine":                a.quarantine,
		"GET /api/v1/sources":                   a.sources,
		"GET /api/v1/payloads/{sha256}":         a.payload,
		"GET /api/v1/openapi.yaml":              a.openapi,
	} {
		mux.Handle(pattern, a.admitted(a.answering(h)))
	}
	mux.Handle("GET /api/v1/stream", a.admitted(http.HandlerFunc(a.stream)))
	return a.elsewhere(mux)
}
