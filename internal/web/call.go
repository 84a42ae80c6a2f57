package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const (
	apiTimeout = 10 * time.Second // of all that one page asks
	maxAnswer  = 16 << 20         // far above the largest page of bars
)

// call is what one page asks of the API on behalf of one request.
type call struct {
	*http.Request
	api           http.Handler
	authorization string // the header with the reader's key, if there is one
	session       bool   // the key is that of the session
	simulated     bool   // some answer was of invented numbers
}

// get asks the API at path, below /api/v1, and decodes its answer. An answer that is
// an error is a *[problem].
func get[T any](c *call, path string, query url.Values) (T, error) {
	var answer T
	body, err := c.fetch("/api/v1"+path, query)
	if err != nil {
		return answer, err
	}
	var simulated struct{ Simulated bool }
	if err := errors.Join(json.Unmarshal(body, &answer), json.Unmarshal(body, &simulated)); err != nil {
		return answer, fmt.Errorf("decode %s: %w", path, err)
	}
	c.simulated = c.simulated || simulated.Simulated
	return answer, nil
}

func (c *call) fetch(path string, query url.Values) ([]byte, error) {
	target := &url.URL{Path: path, RawQuery: query.Encode()}
	r := (&http.Request{
		Method:     http.MethodGet,
		URL:        target,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{"Accept": {"application/json"}},
		Body:       http.NoBody,
		Host:       c.Host,
		// The API limits by client: it must see who asked for the page.
		RemoteAddr: c.RemoteAddr,
		RequestURI: target.RequestURI(),
	}).WithContext(c.Context())
	for _, name := range []string{"X-Request-Id", "X-Forwarded-For"} {
		if values := c.Header[name]; len(values) > 0 {
			r.Header[name] = values
		}
	}
	if c.authorization != "" {
		r.Header.Set("Authorization", c.authorization)
	}

	w := &recorder{header: make(http.Header), status: http.StatusOK}
	if err := serve(c.api, w, r); err != nil {
		return nil, fmt.Errorf("call %s: %w", path, err)
	}
	if w.status != http.StatusOK {
		return nil, w.problem()
	}
	return w.body.Bytes(), nil
}

// serve turns the panic by which a proxy reports a body that was cut off into an error.
func serve(h http.Handler, w *recorder, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = errors.New("the answer was cut off")
		default:
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return context.Cause(r.Context())
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.wrote || status < http.StatusOK {
		return // a second one, or an informational one
	}
	w.status, w.wrote = status, true
}

func (w *recorder) Write(p []byte) (int, error) {
	w.wrote = true
	if w.body.Len()+len(p) > maxAnswer {
		return 0, fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	return w.body.Write(p)
}

// problem reads the error in an answer. One that is not problem+json, such as a
// proxy's, is told by its status.
func (w *recorder) problem() error {
	p := &problem{}
	if err := json.Unmarshal(w.body.Bytes(), p); err != nil || p.Title == "" {
		p = &problem{Title: http.StatusText(w.status)}
	}
	p.Status, p.RetryAfter = w.status, w.header.Get("Retry-After")
	return p
}
