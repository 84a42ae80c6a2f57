package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// signInData is the form that takes an API key.
type signInData struct {
	Heading, Text string

	Next   string // where it leads
	Error  string // what is wrong with the key that was sent
	Abroad bool   // a link on another site led here, so that the browser kept its cookie back
}

const signInText = "With an API key you also see the series whose licence is internal."

// maxForm bounds what the form may send: a key and a path.
const maxForm = 16 << 10

// signInPage is the form on its own.
func signInPage(c *call) (view, error) {
	data := signInData{
		Heading: "Sign in", Next: localPath(c.FormValue("next")),
		Text: signInText,
	}
	if c.session {
		data.Text = "You are signed in. Another key will take the place of yours."
	}
	return signInView(http.StatusOK, data), nil
}

// signInNeeded is the form in the place of a page that needs a key.
func signInNeeded(c *call, p *problem) view {
	data := signInData{
		Heading: "Sign in to see this page", Next: c.URL.RequestURI(),
		Text:   "Its values are for holders of an API key: the licence of their source is internal.",
		Abroad: !c.session && c.Header.Get("Sec-Fetch-Site") == "cross-site",
	}
	if symbol := c.PathValue("symbol"); symbol != "" {
		data.Heading = "Sign in to see " + symbol
	}
	if p.is(invalidKey) {
		data.Heading = "Sign in again"
		data.Text = "The key that you signed in with is no longer valid. Without one you still see what is public."
	}
	return signInView(http.StatusUnauthorized, data)
}

func signInView(status int, data signInData) view {
	return view{Template: "signin", Title: "Sign in", Status: status, Data: data}
}

// signIn takes a key, lets the API check it, and begins a session.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	key := strings.TrimSpace(r.PostFormValue("key")) // never of the query, which is logged
	next := localPath(r.PostFormValue("next"))

	var p *problem
	err := s.check(r.WithContext(ctx), key)
	if err == nil {
		setSession(w, r, key)
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	if !errors.As(err, &p) {
		p = &problem{Status: http.StatusServiceUnavailable}
	}
	data := signInData{Heading: "Sign in", Text: signInText, Next: next}
	switch p.Status {
	case http.StatusUnauthorized:
		data.Error = "This key is not valid, or it has been revoked."
	case http.StatusTooManyRequests:
		data.Error = "Too many requests came from here. Wait a moment, then try again."
	default:
		p.Status = http.StatusServiceUnavailable
		data.Error = "The key cannot be checked just now. Try again in a moment."
		s.logger.ErrorContext(r.Context(), "sign-in failed", "error", err)
	}
	v := signInView(p.Status, data)
	v.RetryAfter, v.Path, v.Private = p.RetryAfter, r.URL.Path, true
	s.render(w, r, v)
}

// check asks the API for next to nothing with a key.
func (s *site) check(r *http.Request, key string) error {
	if !saneKey.MatchString(key) {
		return &problem{Status: http.StatusUnauthorized, Type: invalidKey}
	}
	c := &call{Request: r, api: s.api, authorization: bearer(key)}
	_, err := get[instrumentsAnswer](c, "/instruments", url.Values{"limit": {"1"}})
	return err
}

// signOut ends the session.
func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	setSession(w, r, "")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
