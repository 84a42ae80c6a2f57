package web

import "net/http"

// proxied passes what the scripts of the pages ask on to the API, with the key of the
// session where the request is one of our own pages or was typed by the reader. No
// cookie goes with it: the API knows none, and a log of headers there must have no key.
func proxied(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, session := authorization(r)
		session = session && ownSite(r)
		if len(r.Header["Cookie"]) > 0 {
			r = r.Clone(r.Context())
			r.Header.Del("Cookie")
			if session {
				r.Header.Set("Authorization", header)
			}
		}
		api.ServeHTTP(&proxiedWriter{ResponseWriter: w, session: session}, r)
	})
}

// ownSite reports whether a request is one of our own pages, or was typed. Browsers
// that do not say so heed SameSite all the same.
func ownSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return false
}

// proxiedWriter says of an answer of the API that it depends on the cookie. With a key
// it is for this reader alone, who may sign out: even the browser must ask again.
type proxiedWriter struct {
	http.ResponseWriter
	session bool
	wrote   bool
}

func (w *proxiedWriter) WriteHeader(status int) {
	if !w.wrote && status >= http.StatusOK {
		w.wrote = true
		w.Header().Add("Vary", "Cookie")
		if w.session && w.Header().Get("Cache-Control") != "no-store" {
			w.Header().Set("Cache-Control", "private, no-cache")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *proxiedWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *proxiedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
