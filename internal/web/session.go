package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// A session is a cookie with the reader's API key. There is nothing about it on the
// server: the API checks the key with each request, so that a revoked one ends every
// session at once, on every replica. No script can read the cookie, no other site can
// make a browser send it, and it stands for the key only where something is read.

// sessionCookie names the cookie.
const sessionCookie = "bourse_key"

// cookieName adds the prefix by which a browser takes the cookie over TLS and for this
// very host only, so that a neighbouring host cannot plant one.
func cookieName(r *http.Request) string {
	if secure(r) {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

// secure reports whether the reader's request came over TLS, here or at a proxy.
func secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// saneKey is the form of what is passed on as a key. It fits in a header and a cookie.
var saneKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// setSession lets the browser keep key until it is closed; without a key it forgets
// the one it has.
func setSession(w http.ResponseWriter, r *http.Request, key string) {
	cookie := &http.Cookie{ //nolint:gosec // Secure wherever the reader came over TLS; on a laptop there is none
		Name: cookieName(r), Value: key, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure(r),
	}
	if key == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// authorization returns the Authorization header with which the API is asked on behalf
// of a request, and whether it comes from the session. A header of the request wins.
func authorization(r *http.Request) (header string, session bool) {
	if given := r.Header["Authorization"]; len(given) > 0 {
		return given[0], false
	}
	if !reads(r) {
		return "", false
	}
	cookie, err := r.Cookie(cookieName(r))
	if err != nil || !saneKey.MatchString(cookie.Value) {
		return "", false
	}
	return bearer(cookie.Value), true
}

func bearer(key string) string { return "Bearer " + key }

// reads reports whether a request can change nothing.
func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// localPath returns the path of this site that text is, and the overview where it is
// anything else: what looks like a path can lead a browser elsewhere, such as
// //example.com, or /\example.com, or the same with a tab in between.
func localPath(text string) string {
	strange := func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }
	_, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.ContainsFunc(text, strange) {
		return "/"
	}
	return text
}
