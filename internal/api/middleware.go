package api

import "net/http"

// maxURI bounds the path and query of a request.
const maxURI = 8 << 10

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
