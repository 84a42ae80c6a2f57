package web

import (
	"html/template"
	"log/slog"
	"net/http"

	"bourse/internal/telemetry"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Config is what the pages need.
type Config struct {
	API    http.Handler // answers /api/v1/...; in one process the api itself, else a reverse proxy
	Logger *slog.Logger // slog.Default() if nil
	// Registerer takes the metrics, Tracer starts the traces; nil: there are none.
	Registerer prometheus.Registerer
	Tracer     trace.TracerProvider
}

// site is the dashboard.
type site struct {
	api    http.Handler
	logger *slog.Logger
	assets *assets
	pages  map[string]*template.Template
}

// New returns the handler of the dashboard, of its assets, and of /api/, which it
// passes on. It fails when the assets have not been built.
func New(cfg Config) (http.Handler, error) {
	assets, err := loadAssets(dist)
	if err != nil {
		return nil, err
	}
	return newSite(cfg, assets)
}

func newSite(cfg Config, assets *assets) (http.Handler, error) {
	s := &site{api: cfg.API, logger: cfg.Logger, assets: assets}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	var err error
	if s.pages, err = parseTemplates(assets); err != nil {
		return nil, err
	}
	return telemetry.Requests{
		Part: "web", Logger: s.logger, Registerer: cfg.Registerer, Tracer: cfg.Tracer, Public: true,
	}.Handler(s.routes()), nil
}

func (s *site) routes() http.Handler {
	pages := http.NewServeMux()
	pages.Handle("GET /{$}", s.page(overview))
	pages.Handle("GET /instruments/{symbol}", s.page(instrumentPage))
	pages.Handle("GET /lineage/{symbol}/{period}", s.page(lineage))
	pages.Handle("GET /convert", swapped(s.page(convert)))
	pages.Handle("GET /status", s.page(status))
	pages.Handle("GET /sign-in", s.page(signInPage))
	own := http.NewCrossOriginProtection()
	pages.Handle("POST /sign-in", own.Handler(http.HandlerFunc(s.signIn)))
	pages.Handle("POST /sign-out", own.Handler(http.HandlerFunc(s.signOut)))
	pages.Handle("GET /", s.page(notFound))

	// Two muxes, because "GET /" and "/api/" in one would be ambiguous.
	mux := http.NewServeMux()
	mux.Handle("/api/", proxied(s.api))
	mux.Handle("/assets/", http.StripPrefix("/assets/", s.assets))
	mux.Handle("/", secured(pages))
	return mux
}

// secured sets the headers that every page has. The policy allows no inline script
// and no inline style: templates and scripts must do without.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"img-src 'self' data:; connect-src 'self'; font-src 'self'; "+
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		if secure(r) { // browsers ignore it elsewhere, and complain
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
