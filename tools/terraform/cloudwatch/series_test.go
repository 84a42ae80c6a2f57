package cloudwatch

import "testing"

func TestStatistics(t *testing.T) {
	s := Series{{{1, 1}, {2, 3}}, nil, {{10, 1}}}
	for stat, want := range map[string]float64{
		"Sum": 17, "Average": 3.4, "Minimum": 1, "Maximum": 10, "SampleCount": 5, "p0": 1, "p50": 2, "p80": 2, "p81": 10, "p100": 10,
	} {
		compute, err := statisticOf(stat)
		if err != nil {
			t.Fatal(err)
		}
		if got := compute(s, 0, 3); got != (datapoint{want, 5}) {
			t.Errorf("%s: %v, want %g of 5 samples", stat, got, want)
		}
		if got := compute(s, 1, 2); got.samples != 0 {
			t.Errorf("%s of nothing: %v", stat, got)
		}
	}
	for _, stat := range []string{"p", "p101", "Median", ""} {
		if _, err := statisticOf(stat); err == nil {
			t.Errorf("%q is a statistic", stat)
		}
	}
}

// TestLowSamples: a p99 needs 1,000 samples (percentiles-with-low-samples.html).
func TestLowSamples(t *testing.T) {
	slow := func(requests float64) Series {
		var s Series
		for range 10 {
			s = append(s, []Sample{{5, requests}})
		}
		return s
	}
	for _, c := range []struct {
		requests float64
		low      string
		want     State
	}{{99, "ignore", Insufficient}, {100, "ignore", Alarming}, {1, "evaluate", Alarming}} {
		a := over(10, 10, "notBreaching")
		a.Queries[0].Stat, a.LowSamples = "p99", c.low
		if got := stateAfter(t, a, slow(c.requests), Insufficient); got != c.want {
			t.Errorf("%g requests a minute, %s: %s, want %s", c.requests, c.low, got, c.want)
		}
	}
	if enough("p10", "ignore") != 100 || enough("p50", "ignore") != 20 || enough("Maximum", "ignore") != 0 {
		t.Error("10/percentile below the median, 10/(1-percentile) from there on")
	}
}
