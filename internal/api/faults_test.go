package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/internal/market"
)

// faulty is a store whose every answer is a panic or an error.
type faulty struct {
	Store
	err error
}

func (s faulty) fail() error {
	if s.err == nil {
		panic("secret of the store")
	}
	return s.err
}

func (s faulty) Instruments(context.Context, market.InstrumentQuery) ([]market.Instrument, error) {
	return nil, errors.New("no instruments") // asked before each answer, for the mark of simulated data
}

func (s faulty) Version(context.Context) (int64, error) { return 0, errors.New("no version") }

func (s faulty) Instrument(context.Context, string) (market.Instrument, error) {
	return market.Instrument{}, s.fail()
}

func (s faulty) Sources(context.Context) ([]market.SourceStatus, error) { return nil, s.fail() }

func (s faulty) Payload(context.Context, string) (market.Payload, error) {
	return market.Payload{Source: "ecb"}, nil
}

// emptied is an archive that has lost its bytes.
type emptied struct{}

func (emptied) Get(context.Context, string, string) ([]byte, error) { return nil, market.ErrNotFound }

// told asks for a path and returns the problem.
func told(t *testing.T, a *API, path string) problem {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code {
		t.Fatalf("%s: %d is not a problem: %q", path, w.Code, w.Body)
	}
	if w.Header().Get("Content-Type") != "application/problem+json" || p.Request != w.Header().Get("X-Request-Id") || p.Request == "" {
		t.Errorf("%s: the problem is not whole: %v %s", path, w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%s: internals leave: %s", path, w.Body)
	}
	return p
}

func TestPanicIsInternal(t *testing.T) {
	a := New(Config{Store: faulty{}})
	for _, path := range []string{"/api/v1/bars/EURUSD", "/api/v1/sources"} {
		if p := told(t, a, path); p.Type != problemPrefix+internal.slug || p.Status != http.StatusInternalServerError {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestErrorIsUnavailable(t *testing.T) {
	a := New(Config{Store: faulty{err: errors.New("secret of the store")}, Archive: emptied{}})
	for _, path := range []string{
		"/api/v1/bars/EURUSD", "/api/v1/sources", "/api/v1/convert?from=EUR&to=USD", "/api/v1/quotes?symbols=EURUSD",
		"/api/v1/payloads/" + strings.Repeat("0", 64), // the store has it, the archive does not
	} {
		if p := told(t, a, path); p.Type != problemPrefix+unavailable.slug || p.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestTooManyStreams(t *testing.T) {
	a := New(Config{Store: faulty{err: errors.New("no store")}})
	var clients []chan market.Change
	for range maxStreams {
		clients = append(clients, a.hub.join())
	}
	if p := told(t, a, "/api/v1/stream"); p.Type != problemPrefix+tooManyStreams.slug || p.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", p)
	}
	a.hub.leave(clients[0])
	if a.hub.join() == nil {
		t.Error("a place that was left can't be taken")
	}
}

// TestSlowClientIsCutOff fills the backlog of one client; another one that reads
// misses nothing.
func TestSlowClientIsCutOff(t *testing.T) {
	h := newHub()
	slow, quick := h.join(), h.join()
	for seq := range int64(streamBacklog + 1) {
		h.send(market.Change{Seq: seq})
		if c := <-quick; c.Seq != seq {
			t.Fatalf("change %d came in place of %d", c.Seq, seq)
		}
	}
	n := 0
	for range slow { // ends, because the channel is closed
		n++
	}
	if n != streamBacklog || len(h.clients) != 1 {
		t.Errorf("the slow client got %d changes, %d clients are left", n, len(h.clients))
	}
}
