package chart

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// A recording is what the drill of scaling measured on a cluster.
type recording struct {
	Values     values   `json:"values"`     // of the installation, for the autoscaler
	Resolution float64  `json:"resolution"` // s between two looks of metrics-server
	Start      float64  `json:"start"`      // s until a pod was ready, before the load
	Cost       float64  `json:"cost"`       // core seconds of a request, before the step
	Step       float64  `json:"step"`       // s: when the load went up
	End        float64  `json:"end"`        // s: when it went back
	Measured   outcome  `json:"measured"`
	Samples    []sample `json:"samples"`
}

// A sample is what was seen at a time; there is more in it for people to read.
type sample struct {
	At      float64 `json:"at"`      // s
	Offered float64 `json:"offered"` // requests a second since the sample before
}

// An outcome is what is compared of a run.
type outcome struct {
	Most     float64 `json:"most"`     // replicas
	Strength float64 `json:"strength"` // s from the step until that many were ready
	Minimum  float64 `json:"minimum"`  // s from the end of the load to the least replicas
}

const agreement = 0.30 // of what was measured to what was predicted

// TestRecorded plays a load that a drill recorded, with the values of its installation,
// and compares what it predicts with what the autoscaler of the cluster did.
// BOURSE_TEST_RECORDING names another recording than the one that is kept here.
func TestRecorded(t *testing.T) {
	r := recorded(t)
	s := r.scaler(t)
	results := r.play(s)
	for _, c := range r.compare(results) {
		t.Log(c)
		if !c.agrees() {
			t.Errorf("predicted and measured differ by more than %.0f %%: %s", 100*agreement, c)
		}
	}
	for _, result := range results {
		if result.turns != 1 {
			t.Errorf("it turned %d times: %s", result.turns, result.history)
		}
		if need := s.need(result.highestLoad); float64(result.most) > math.Ceil(1.3*need) {
			t.Errorf("%d replicas, of which the load needs %.0f: %s", result.most, need, result.history)
		}
		if result.recovery > 130 {
			t.Errorf("above the target for %d s: %s", result.recovery, result.history)
		}
	}
}

// TestRecordedTells sees that the comparison notices an autoscaler that is not the one
// of the cluster.
func TestRecordedTells(t *testing.T) {
	r := recorded(t)
	none := int32(0)
	for name, change := range map[string]func(s *scaler){
		"no stabilization": func(s *scaler) { s.behavior.ScaleDown.StabilizationWindowSeconds = &none },
		"a pod a minute": func(s *scaler) {
			s.behavior.ScaleUp.Policies = []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}}
		},
		"twice the target": func(s *scaler) { s.target *= 2 },
	} {
		s := r.scaler(t)
		change(&s)
		if !slices.ContainsFunc(r.compare(r.play(s)), func(c comparison) bool { return !c.agrees() }) {
			t.Errorf("%s: the recording agrees with it", name)
		}
	}
}

func recorded(t *testing.T) recording {
	t.Helper()
	text, err := os.ReadFile(cmp.Or(os.Getenv("BOURSE_TEST_RECORDING"), "testdata/scaling.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r recording) scaler(t *testing.T) scaler {
	t.Helper()
	return scalerOf(t, mustRender(t, given(), r.Values), "bourse-api")
}

// play plays the load in clusters of many phases: nobody knows those of the recorded one.
//
// The load is the demand: the requests that were offered, times what one costs while no
// pod is near its limit. It does not depend on what the autoscaler did.
func (r recording) play(s scaler) []result {
	load := shape{name: "recorded", length: int(r.End) + 900, load: func(t int) float64 {
		for _, sample := range r.Samples {
			if sample.At > float64(t) {
				return sample.Offered * r.Cost
			}
		}
		return r.Samples[len(r.Samples)-1].Offered * r.Cost // as it was at the end
	}}
	var results []result
	for n := range 200 {
		results = append(results, s.run(load, inPhase(n, int(r.Resolution), int(math.Round(r.Start)))))
	}
	return results
}

// A comparison is of what many plays predict with what a drill measured.
type comparison struct {
	what                string
	middle, least, most float64 // of the predictions; nine of ten are between least and most
	measured            float64
}

func (c comparison) off() float64 { return c.measured/c.middle - 1 }

func (c comparison) agrees() bool { return math.Abs(c.off()) <= agreement }

func (c comparison) String() string {
	return fmt.Sprintf("%s: predicted %.0f (nine of ten %.0f to %.0f), measured %.0f, %+.0f %%", c.what, c.middle, c.least, c.most, c.measured, 100*c.off())
}

func (r recording) compare(results []result) []comparison {
	of := func(what string, measured float64, predict func(result) float64) comparison {
		var all []float64
		for _, result := range results {
			all = append(all, predict(result))
		}
		slices.Sort(all)
		n := len(all)
		return comparison{what, all[n/2], all[n/20], all[n-1-n/20], measured}
	}
	step, end := int(r.Step), int(r.End)
	return []comparison{
		of("replicas at most", r.Measured.Most, func(x result) float64 { return float64(x.most) }),
		of("s from the step to full strength", r.Measured.Strength, func(x result) float64 {
			return float64(slices.IndexFunc(x.ready, func(n int) bool { return n >= x.most }) - step)
		}),
		of("s from the end of the load to the least replicas", r.Measured.Minimum, func(x result) float64 {
			return float64(slices.Index(x.wanted[end:], x.wanted[0]))
		}),
	}
}
