package telemetry

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Requests observes the requests of a part: it gives each an ID, logs, measures and traces it,
// and survives its panics. The zero value of what is not said to be required does without.
type Requests struct {
	Part       string // api or web; required
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     trace.TracerProvider
	// Public says that strangers ask. Then the traces that they claim to be part of are linked
	// and not continued: they must neither decide what is sampled nor write into ours.
	Public bool
	// Failed answers a request whose handler panicked; nil: in plain text.
	Failed func(w http.ResponseWriter, r *http.Request)
}

// statusClientGone stands in logs and metrics for a client that went away, as in nginx.
const statusClientGone = 499

// requestID is the header with the ID of a request.
const requestID = "X-Request-Id"

// noRoute stands in metrics for all requests that no route has.
const noRoute = "none"

var (
	saneID     = regexp.MustCompile(`^[A-Za-z0-9_.\-]{1,64}$`)
	propagator = propagation.TraceContext{}
	ofServer   = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
	ofTraces   = []string{"Traceparent", "Tracestate", "Baggage"}
)

// observer is what observes, ready for requests.
type observer struct {
	Requests
	next     http.Handler
	tracer   trace.Tracer
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	debug    bool // whether each request is logged: what would not be is not put together

	mu    sync.RWMutex
	known map[answer]prometheus.Observer // those of duration that there are
}

// answer is what an answer is counted as.
type answer struct {
	route  string
	status int
}

// of returns the series of an answer. To find it by its labels takes several times as long.
func (o *observer) of(a answer) prometheus.Observer {
	o.mu.RLock()
	series := o.known[a]
	o.mu.RUnlock()
	if series == nil {
		series = o.duration.WithLabelValues(a.route, strconv.Itoa(a.status))
		o.mu.Lock()
		o.known[a] = series
		o.mu.Unlock()
	}
	return series
}

// Handler returns next with each of its requests observed. The route is the pattern of the mux
// in next that sets it last; "GET /", which takes what no other does, is none.
func (c Requests) Handler(next http.Handler) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider()
	}
	if c.Failed == nil {
		c.Failed = func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Something failed here.", http.StatusInternalServerError)
		}
	}
	part := prometheus.Labels{"part": c.Part}
	o := &observer{
		Requests: c, next: next, tracer: c.Tracer.Tracer("bourse/" + c.Part), known: map[answer]prometheus.Observer{},
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bourse_http_request_duration_seconds", ConstLabels: part,
			Help:    "Time to answer a request, by route and status; 499: the client went away. That of a stream is no latency.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bourse_http_requests_in_flight", ConstLabels: part, Help: "Requests that are being answered, streams too.",
		}),
	}
	o.debug = c.Logger.Enabled(context.Background(), slog.LevelDebug)
	c.Registerer.MustRegister(o.duration, o.inFlight)
	return o
}

// ServeHTTP answers a request.
func (o *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	o.inFlight.Inc()
	id := identify(w, r)
	ctx, span := o.start(r)
	r = r.WithContext(WithRequest(ctx, id))
	r.Pattern = "" // of the mux that led here; our own sets it again
	out := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		v, begun := recover(), out.wrote
		if v != nil {
			o.failed(out, r, v)
		}
		aborted := v == http.ErrAbortHandler //nolint:errorlint // the very value
		if r.Context().Err() != nil && out.status >= http.StatusInternalServerError && (v == nil || aborted) {
			out.status = statusClientGone
		}
		o.note(r, out.status, time.Since(began), span)
		o.inFlight.Dec()
		if v != nil && begun {
			panic(http.ErrAbortHandler) // an answer that broke off must not look whole
		}
	}()
	o.next.ServeHTTP(out, r)
}

// identify returns the ID of a request, that of the client where it is sane. The answer has it,
// and whoever is asked on behalf of the request gets it.
func identify(w http.ResponseWriter, r *http.Request) string {
	id := r.Header.Get(requestID)
	if id == "" || !saneID.MatchString(id) {
		id = newID()
	}
	ids := []string{id}
	r.Header[requestID], w.Header()[requestID] = ids, ids
	return id
}

// newID returns an ID that no other request has. It is no secret, and asking the kernel for one
// would take as long as all the rest.
func newID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // see above
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // see above
	return hex.EncodeToString(id[:])
}

// failed answers a request whose handler panicked. A proxy panics so where an answer breaks off.
func (o *observer) failed(out *statusWriter, r *http.Request, v any) {
	if v != http.ErrAbortHandler { //nolint:errorlint // the very value
		o.Logger.ErrorContext(r.Context(), "panic", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	}
	if !out.wrote {
		o.Failed(out, r)
	}
	out.status = http.StatusInternalServerError
}

// start begins the span of a request, within the trace of the caller where it can be trusted.
func (o *observer) start(r *http.Request) (context.Context, trace.Span) {
	ctx, options := r.Context(), ofServer
	if len(r.Header["Traceparent"]) > 0 && !trace.SpanContextFromContext(ctx).IsValid() { // else the caller is in this process
		remote := trace.SpanContextFromContext(propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)))
		switch {
		case !remote.IsValid():
		case o.Public:
			options = append(slices.Clone(ofServer), trace.WithLinks(trace.Link{SpanContext: remote}))
		default:
			ctx = trace.ContextWithRemoteSpanContext(ctx, remote)
		}
	}
	if o.Public {
		for _, name := range ofTraces {
			delete(r.Header, name) // what a stranger says of traces goes no further
		}
	}
	ctx, span := o.tracer.Start(ctx, Method(r), options...)
	if span.IsRecording() {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		// Neither the query nor any header: a key can be in both.
		span.SetAttributes(semconv.HTTPRequestMethodKey.String(Method(r)), semconv.URLScheme(scheme), semconv.URLPath(r.URL.Path))
	}
	return ctx, span
}

// note logs, measures and traces an answer.
func (o *observer) note(r *http.Request, status int, took time.Duration, span trace.Span) {
	route := r.Pattern
	if route == "" || route == "GET /" {
		route = noRoute
	}
	seconds := o.of(answer{route, status})
	if context := span.SpanContext(); context.IsSampled() {
		seconds.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": context.TraceID().String()})
	} else {
		seconds.Observe(took.Seconds())
	}
	if o.debug {
		o.Logger.DebugContext(r.Context(), "request", "part", o.Part, "route", route, "path", r.URL.Path,
			"status", status, "duration_seconds", took.Seconds())
	}
	if span.IsRecording() {
		describe(span, r, route, status)
	}
	span.End()
}

// describe gives a span the name of its route, and what it came to.
func describe(span trace.Span, r *http.Request, route string, status int) {
	if route != noRoute {
		_, path, named := strings.Cut(route, " ")
		if !named {
			path, route = route, Method(r)+" "+route
		}
		span.SetName(route)
		span.SetAttributes(semconv.HTTPRoute(path))
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// Method is the method of a request where it is a known one: anyone can make one up.
func Method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete,
		http.MethodOptions, http.MethodPatch, http.MethodTrace, http.MethodConnect:
		return r.Method
	}
	return "_OTHER"
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote && status >= http.StatusOK {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
