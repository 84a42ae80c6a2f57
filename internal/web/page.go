package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"

	"bourse/internal/market"
)

//go:embed templates
var templates embed.FS

// view is what a page shows.
type view struct {
	Template string // of templates/, without .html; also the name of the page's script
	Title    string
	Status   int // 200 if 0
	Data     any

	RetryAfter string // the header, for errors that pass

	// The rest is filled in for every page.
	Path      string
	Here      string // the path with its query
	SignedIn  bool
	Private   bool // made with a key
	Simulated bool
	Sources   []source
}

// Source is the source with the given name. One that the API does not list has only
// its name.
func (v view) Source(name string) source {
	for _, s := range v.Sources {
		if s.Name == name {
			return s
		}
	}
	return source{Name: name, Title: name}
}

// Closed reports whether a reader without a key sees no values of a source.
func (v view) Closed(name string) bool {
	return !v.Private && v.Source(name).Licence == string(market.Internal)
}

// parseTemplates parses each page together with the layout.
func parseTemplates(assets *assets) (map[string]*template.Template, error) {
	layout := template.New("layout.html").Option("missingkey=error").
		Funcs(formats).Funcs(template.FuncMap{"asset": assets.url})
	layout, err := layout.ParseFS(templates, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	pages := make(map[string]*template.Template)
	for _, name := range []string{"overview", "instrument", "lineage", "convert", "status", "signin", "error"} {
		page, err := layout.Clone()
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		if pages[name], err = page.ParseFS(templates, "templates/"+name+".html"); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	return pages, nil
}

// page answers with what load makes of the API's answers. Every page also asks for
// the sources: no number is shown without saying whose it is.
func (s *site) page(load func(*call) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
		defer cancel()
		c := &call{Request: r.WithContext(ctx), api: s.api}
		c.authorization, c.session = authorization(r)
		v, err := load(c)
		if err == nil {
			var answer sourcesAnswer
			answer, err = get[sourcesAnswer](c, "/sources", nil)
			v.Sources = answer.Sources
		}
		if err != nil {
			var p *problem
			if c.session && errors.As(err, &p) && p.is(invalidKey) {
				setSession(w, r, "")
				c.session = false
			}
			v = s.failed(c, err)
		}
		v.Path, v.Here, v.Simulated = r.URL.Path, r.URL.RequestURI(), c.simulated
		v.SignedIn, v.Private = c.session, c.authorization != ""
		s.render(w, r, v)
	})
}

// failure is what the error page says.
type failure struct {
	Heading, Text string
	Retry         bool // the same request may work soon
	OtherKey      bool // it may work with another key
}

// failed turns an error into a page. What the API says about a request that cannot
// be answered is for people; what went wrong inside is for the log.
func (s *site) failed(c *call, err error) view {
	v := view{Template: "error"}
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{Status: http.StatusServiceUnavailable}
	}
	v.RetryAfter = p.RetryAfter
	switch {
	case p.Status == http.StatusUnauthorized:
		return signInNeeded(c, p)
	case p.Status == http.StatusForbidden:
		v.Status, v.Title = p.Status, "Not with this key"
		v.Data = failure{Heading: "Your key does not open this", OtherKey: true,
			Text: "Its values are for keys that may read this source, and yours may not. Whoever gave it to you can say why."}
	case p.Status == http.StatusNotFound:
		v.Status, v.Title = http.StatusNotFound, "Not found"
		v.Data = failure{Heading: "There is no such page", Text: p.Detail}
	case p.Status == http.StatusTooManyRequests:
		v.Status, v.Title = p.Status, "Too many requests"
		v.Data = failure{Heading: "Too many requests", Text: "Wait a moment, then try again.", Retry: true}
	case p.Status >= 400 && p.Status < 500:
		v.Status, v.Title = p.Status, "Cannot be answered"
		v.Data = failure{Heading: "This request cannot be answered", Text: p.Detail}
	default:
		v.Status, v.Title = http.StatusServiceUnavailable, "Not available"
		v.Data = failure{Heading: "The data cannot be reached", Retry: true,
			Text: "The service that holds the values does not answer. Nothing is lost; this page works again as soon as it does."}
		if c.Context().Err() == nil {
			s.logger.ErrorContext(c.Context(), "page failed", "path", c.URL.Path, "error", err)
		}
	}
	return v
}

// notFound is the page of a path that there is not.
func notFound(*call) (view, error) {
	return view{}, &problem{Status: http.StatusNotFound, Detail: "The address may be mistyped or out of date."}
}

func (s *site) render(w http.ResponseWriter, r *http.Request, v view) {
	var body bytes.Buffer
	if err := s.pages[v.Template].ExecuteTemplate(&body, "layout.html", v); err != nil {
		s.logger.ErrorContext(r.Context(), "page not rendered", "path", r.URL.Path, "error", err)
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	if v.Status == 0 {
		v.Status = http.StatusOK
	}
	setPageHeaders(w.Header(), v)
	var out io.Writer = w
	if acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		defer func() { _ = zw.Close() }()
		out = zw
	}
	w.WriteHeader(v.Status)
	// An error here is a browser that went away.
	_, _ = out.Write(body.Bytes())
}

func setPageHeaders(h http.Header, v view) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	if v.Private {
		// Not even the browser keeps it: after a sign-out, going back shows nothing.
		h.Set("Cache-Control", "private, no-store")
	}
	h.Set("Vary", "Accept-Encoding, Authorization, Cookie")
	if v.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if v.Status == http.StatusServiceUnavailable || v.RetryAfter != "" {
		h.Set("Retry-After", cmp.Or(v.RetryAfter, "5"))
	}
}

// acceptsGzip reports whether the client takes compressed answers, as all browsers do.
func acceptsGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}
