package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bourse/internal/market"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// attempts is how often a request is sent within one run, fewAttempts where the source
// has a quota.
const (
	attempts    = 3
	fewAttempts = 2
)

// maxWait bounds the wait within a run; a longer one is left to the schedule.
const maxWait = 30 * time.Second

var (
	errElsewhere = errors.New("redirected to another host")
	errRedirects = errors.New("redirected without end")
)

func newClient(cfg Config) *http.Client {
	transport := cfg.HTTP
	if transport == nil {
		transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: cfg.Timeout,
			IdleConnTimeout:       30 * time.Second,
			ForceAttemptHTTP2:     true,
		}
	}
	return &http.Client{Transport: transport, Timeout: cfg.Timeout, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != via[0].URL.Host {
			return errElsewhere
		}
		if len(via) >= 5 {
			return errRedirects
		}
		return nil
	}}
}

// response is an answer that was received whole, without the credential it was got with.
type response struct {
	status     int
	header     map[string][]string
	body       []byte
	receivedAt time.Time
}

// get sends a request once, and measures and traces it.
func (in *Ingester) get(ctx context.Context, source string, req market.Request) (response, error) {
	ctx, span := request(ctx, req)
	began := time.Now()
	resp, err := in.send(ctx, req)
	in.cfg.Metrics.answered(source, resp.status, time.Since(began))
	if resp.status > 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(resp.status), semconv.HTTPResponseBodySize(len(resp.body)))
	}
	end(span, err)
	return resp, err
}

func (in *Ingester) send(ctx context.Context, req market.Request) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, req.URL, nil)
	if err != nil {
		return response{}, &market.Failure{Outcome: market.Permanent, Reason: "the address is not one", Err: err}
	}
	secret := ""
	if req.Credential.Name != "" {
		if secret, err = req.Credential.Value(ctx); err != nil {
			return response{}, err
		}
		query := r.URL.Query()
		query.Set(req.Credential.Name, secret)
		r.URL.RawQuery = query.Encode()
	}
	r.Header.Set("User-Agent", "bourse")
	resp, err := in.http.Do(r)
	if err != nil {
		return response{}, unanswered(err, secret)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, req.MaxBytes+1))
	if err != nil {
		return response{}, &market.Failure{Outcome: market.RetryAfter, Reason: "the answer broke off", Err: err}
	}
	if int64(len(body)) > req.MaxBytes {
		return response{}, &market.Failure{Outcome: market.NeedsPerson, Reason: fmt.Sprintf("the answer is larger than %d bytes", req.MaxBytes)}
	}
	return response{resp.StatusCode, kept(resp.Header, secret), redact(body, secret), in.cfg.Now().UTC()}, nil
}

// keptHeaders are those that say something of the bytes or of when to come again.
// Others can have secrets in them, such as cookies.
var keptHeaders = []string{"Content-Type", "Date", "Etag", "Last-Modified", "Retry-After"}

func kept(h http.Header, secret string) map[string][]string {
	out := map[string][]string{}
	for _, name := range keptHeaders {
		for _, value := range h.Values(name) {
			out[name] = append(out[name], string(redact([]byte(value), secret)))
		}
	}
	return out
}

// unanswered is the failure of a request without an answer.
func unanswered(err error, secret string) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address, which may have a key in it
	}
	told := errors.New(string(redact([]byte(err.Error()), secret))) // it may quote the answer
	if errors.Is(err, errElsewhere) || errors.Is(err, errRedirects) {
		return &market.Failure{Outcome: market.NeedsPerson, Reason: "the request was redirected astray", Err: told}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &market.Failure{Outcome: market.RetryAfter, Reason: "no answer in time", Err: told}
	}
	return &market.Failure{Outcome: market.RetryAfter, Reason: "no answer", Err: told}
}

// classify returns the failure that an answer means, or nil. It looks at the body
// too: a page for people in place of data comes with status 200 as well.
func classify(p market.Payload, body []byte) error {
	fail := func(o market.Outcome, reason string) error {
		return &market.Failure{Outcome: o, Reason: fmt.Sprintf("%s (HTTP %d)", reason, p.Status), After: retryAfter(p)}
	}
	switch {
	case p.Status >= 500, p.Status == http.StatusRequestTimeout, p.Status == http.StatusTooEarly:
		return fail(market.RetryAfter, "the source is failing")
	case p.Status == http.StatusTooManyRequests:
		return fail(market.RetryAfter, "too many requests")
	case p.Status == http.StatusNotFound, p.Status == http.StatusGone:
		return &market.Failure{Outcome: market.Permanent, Reason: fmt.Sprintf("the source does not have it (HTTP %d)", p.Status), Alone: true}
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusForbidden:
		return &market.Failure{Outcome: market.NeedsPerson, Reason: fmt.Sprintf("the source refused the request (HTTP %d)", p.Status), Refused: true}
	case p.Status >= 400:
		return fail(market.NeedsPerson, "the source refused the request")
	case p.Status != http.StatusOK:
		return fail(market.NeedsPerson, "an answer that was not asked for")
	case len(body) == 0:
		return fail(market.RetryAfter, "an empty answer")
	case isHTML(body):
		return fail(market.NeedsPerson, "a web page in place of data")
	}
	return nil
}

func isHTML(body []byte) bool {
	head := strings.ToLower(string(bytes.TrimSpace(body[:min(len(body), 256)])))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

// retryAfter reads the header of RFC 9110, section 10.2.3.
func retryAfter(p market.Payload) time.Duration {
	text := http.Header(p.Header).Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(p.ReceivedAt))
	}
	return 0
}
