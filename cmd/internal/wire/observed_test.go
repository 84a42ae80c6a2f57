package wire

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"bourse/internal/market"

	"github.com/prometheus/client_golang/prometheus"
)

// failing is a store whose operation comes to an error.
type failing struct {
	Store
	err error
}

func (s failing) Instrument(context.Context, string) (market.Instrument, error) {
	return market.Instrument{}, s.err
}

func (s failing) SavePayload(context.Context, market.Payload) error { return s.err }

func TestObserved(t *testing.T) {
	for _, c := range []struct {
		err    error
		result string
	}{
		{nil, "ok"},
		{fmt.Errorf("instrument: %w", market.ErrNotFound), "ok"},
		{fmt.Errorf("source: %w", market.ErrLocked), "ok"},
		{market.ErrQuota, "ok"},
		{&market.Failure{Outcome: market.NeedsPerson}, "ok"},
		{fmt.Errorf("query: %w", context.Canceled), "ok"},
		{context.DeadlineExceeded, "error"},
		{errors.New("connection refused"), "error"},
	} {
		registry := prometheus.NewRegistry()
		s := observedStore{failing{err: c.err}, newOperations(registry, "store")}
		if _, err := s.Instrument(t.Context(), "EURUSD"); !errors.Is(err, c.err) {
			t.Errorf("%v became %v", c.err, err)
		}
		if err := s.SavePayload(t.Context(), market.Payload{}); !errors.Is(err, c.err) {
			t.Errorf("%v became %v", c.err, err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range families[0].Metric {
			got = append(got, fmt.Sprint(m.Label[0].GetValue(), " ", m.Label[1].GetValue(), " ", m.Histogram.GetSampleCount()))
		}
		if want := fmt.Sprint([]string{"instrument " + c.result + " 1", "save_payload " + c.result + " 1"}); fmt.Sprint(got) != want {
			t.Errorf("%v: %v, want %s", c.err, got, want)
		}
	}
}
