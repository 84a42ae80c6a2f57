package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"

	"bourse/internal/market"
)

// history is a store of which only the changes are known, numbered from one.
type history struct {
	faulty
	changes int64
}

func (h history) Instruments(context.Context, market.InstrumentQuery) ([]market.Instrument, error) {
	return []market.Instrument{{Source: "ecb", Licence: market.Public}}, nil
}

func (h history) LastChange(context.Context) (int64, error) { return h.changes, nil }

func (h history) Changes(_ context.Context, after int64, limit int) ([]market.Change, error) {
	var list []market.Change
	for seq := after + 1; seq <= h.changes && len(list) < limit; seq++ {
		list = append(list, market.Change{Seq: seq, Source: "ecb"})
	}
	return list, nil
}

// Watch tells of a single commit.
func (h history) Watch(context.Context) (<-chan struct{}, error) {
	changed := make(chan struct{}, 1)
	changed <- struct{}{}
	close(changed)
	return changed, nil
}

// TestResumeHasNoGap comes back with the last event it saw, as browsers do, until
// there is no other. It missed more than one answer holds.
func TestResumeHasNoGap(t *testing.T) {
	a := New(Config{Store: history{changes: 2*resumeLimit + 50}})
	var last int64
	for again := true; again; {
		again = false
		for _, seq := range eventsAfter(t, a, last) {
			if seq != last+1 {
				t.Fatalf("event %d came after %d", seq, last)
			}
			last, again = seq, true
		}
	}
	if last != 2*resumeLimit+50 {
		t.Errorf("the last event is %d", last)
	}
}

// eventsAfter returns the numbers of the events that a client gets which connects and
// is gone before anything new happens.
func eventsAfter(t *testing.T, a *API, last int64) []int64 {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/stream", nil).WithContext(ctx)
	r.Header.Set("Last-Event-ID", strconv.FormatInt(last, 10))
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	var list []int64
	for _, m := range regexp.MustCompile(`(?m)^id: (\d+)$`).FindAllStringSubmatch(w.Body.String(), -1) {
		seq, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, seq)
	}
	return list
}

// TestFollowCatchesUp has more changes behind one commit than one query returns.
func TestFollowCatchesUp(t *testing.T) {
	a := New(Config{Store: history{changes: 2*resumeLimit + 50}})
	last := int64(10)
	if err := a.follow(t.Context(), &last); err == nil || last != 2*resumeLimit+50 {
		t.Errorf("it came to change %d: %v", last, err)
	}
}
