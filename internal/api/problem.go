package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"bourse/internal/market"
	"bourse/internal/telemetry"
)

// problem is an error that the client is told of, as RFC 9457 has it. Its type is
// stable; detail is for people.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Parameter string `json:"parameter,omitempty"` // the query parameter or path segment at fault
	Request   string `json:"request,omitempty"`   // the ID under which the log has it
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

// kind is one sort of problem.
type kind struct {
	slug   string
	title  string
	status int
}

// kinds are all the problems there are.
var (
	badParameter     = kind{"bad-parameter", "A parameter is not acceptable", http.StatusBadRequest}
	malformedCursor  = kind{"malformed-cursor", "The cursor is not one that this query gave", http.StatusBadRequest}
	keyRequired      = kind{"key-required", "This needs an API key", http.StatusUnauthorized}
	invalidKey       = kind{"invalid-key", "The API key is not good", http.StatusUnauthorized}
	forbidden        = kind{"forbidden", "The API key does not open this", http.StatusForbidden}
	tooManyRequests  = kind{"too-many-requests", "Too many requests", http.StatusTooManyRequests}
	notFound         = kind{"not-found", "There is no such resource", http.StatusNotFound}
	unknownSymbol    = kind{"unknown-symbol", "There is no such instrument", http.StatusNotFound}
	noValue          = kind{"no-value", "There is no value for that period", http.StatusNotFound}
	noRate           = kind{"no-rate", "There is no rate for that date", http.StatusNotFound}
	unknownPayload   = kind{"unknown-payload", "No such bytes were received", http.StatusNotFound}
	methodNotAllowed = kind{"method-not-allowed", "The method is not allowed", http.StatusMethodNotAllowed}
	notAcceptable    = kind{"not-acceptable", "No such format", http.StatusNotAcceptable}
	uriTooLong       = kind{"uri-too-long", "The request is too long", http.StatusRequestURITooLong}
	internal         = kind{"internal", "Something failed here", http.StatusInternalServerError}
	unavailable      = kind{"unavailable", "A part of the service is down", http.StatusServiceUnavailable}
	tooManyStreams   = kind{"too-many-streams", "Too many clients listen already", http.StatusServiceUnavailable}
)

// problemPrefix makes a type of a slug. URNs because a fork's host is not known here.
const problemPrefix = "urn:bourse:problem:"

func (k kind) of(parameter, format string, args ...any) *problem {
	return &problem{Type: problemPrefix + k.slug, Title: k.title, Status: k.status, Parameter: parameter, Detail: fmt.Sprintf(format, args...)}
}

// asProblem returns what the client is told of an error. The rest stays in the log.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if errors.Is(err, market.ErrNotFound) {
		return notFound.of("", "")
	}
	return unavailable.of("", "Try again in a moment.")
}

// orNotFound names what was not found.
func orNotFound(err error, p *problem) error {
	if errors.Is(err, market.ErrNotFound) {
		return p
	}
	return err
}

// tell writes a problem.
func (a *API) tell(w http.ResponseWriter, r *http.Request, err error, simulated bool) {
	p := *asProblem(err)
	p.Request = telemetry.Request(r.Context())
	if p.Status >= http.StatusInternalServerError {
		if r.Context().Err() == nil { // else nobody waits for the answer, which may be why it failed
			a.cfg.Logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
		}
		w.Header().Set("Retry-After", "5")
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{}`)
	}
	if simulated {
		body = markObject(body)
		w.Header().Set(simulatedHeader, "true")
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
