package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxURI bounds the path and query of a request.
const maxURI = 8 << 10

type requestKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

var saneID = regexp.MustCompile(`^[A-Za-z0-9_.\-]{1,64}$`)

// observed gives each request an ID, logs and measures it, and survives its panics.
func (a *API) observed(next http.Handler) http.Handler {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "bourse_http_request_duration_seconds", Help: "Time to answer a request, by route and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"route", "code"})
	a.cfg.Registerer.MustRegister(duration)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := r.Header.Get("X-Request-Id")
		if !saneID.MatchString(id) {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
		r.Pattern = "" // of the mux that led here; our own sets it again
		out := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			v, begun := recover(), out.wrote
			if v != nil {
				a.cfg.Logger.ErrorContext(r.Context(), "panic", "request", id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				if !begun {
					a.tell(out, r, internal.of("", ""), false)
				}
				out.status = http.StatusInternalServerError
			} else if r.Context().Err() != nil && out.status >= http.StatusInternalServerError {
				out.status = statusClientGone
			}
			a.note(r, out.status, time.Since(began), duration)
			if v != nil && begun {
				panic(http.ErrAbortHandler) // an answer that broke off must not look whole
			}
		}()
		next.ServeHTTP(out, r)
	})
}

// statusClientGone stands in logs and metrics for a client that went away, as in nginx.
const statusClientGone = 499

// note logs and measures an answer.
func (a *API) note(r *http.Request, status int, took time.Duration, duration *prometheus.HistogramVec) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	duration.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
	a.cfg.Logger.DebugContext(r.Context(), "request", "request", requestID(r.Context()), "route", route, "path", r.URL.Path,
		"status", status, "duration_seconds", took.Seconds())
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *statusWriter) WriteHeader(status int) {
	w.status, w.wrote = status, true
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// limited refuses requests of a length that no honest one has.
func (a *API) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > maxURI || len(r.URL.RawQuery)+len(r.URL.Path) > maxURI {
			a.tell(w, r, uriTooLong.of("", "A path and query have at most %d bytes.", maxURI), a.simulated(r.Context()))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// elsewhere answers what no route does.
func (a *API) elsewhere(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		simulated := a.simulated(r.Context())
		get := r.Clone(r.Context())
		get.Method = http.MethodGet
		if _, pattern := mux.Handler(get); pattern != "" {
			w.Header().Set("Allow", "GET, HEAD")
			a.tell(w, r, methodNotAllowed.of("", "%s is not allowed here.", r.Method), simulated)
			return
		}
		a.tell(w, r, notFound.of("", "There is nothing at this path; /api/v1/openapi.yaml says what there is."), simulated)
	})
}
