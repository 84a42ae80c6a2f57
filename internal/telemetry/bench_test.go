package telemetry

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// BenchmarkRequests observes requests whose handler does next to nothing.
func BenchmarkRequests(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bars/{symbol}", func(http.ResponseWriter, *http.Request) {})
	for name, tracer := range map[string]trace.TracerProvider{
		"untraced": nil,
		"sampled never": sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0))),
			sdktrace.WithSpanProcessor(tracetest.NewSpanRecorder())),
	} {
		h := Requests{Part: "api", Registerer: prometheus.NewRegistry(), Tracer: tracer}.Handler(mux)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/bars/EURUSD", nil)
				h.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
	b.Run("nothing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/bars/EURUSD", nil)
			mux.ServeHTTP(discard{http.Header{}}, r)
		}
	})
}

// discard takes an answer.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
