package chart

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Of a cluster: as metrics-server is installed by its own manifest, and a program that is
// ready at once on a node that has its image.
const (
	resolution = 15
	startTime  = 8
	phases     = 12 // of clusters that a promise is tried in
)

// A shape is a load in cores over seconds.
type shape struct {
	name   string
	length int
	load   func(t int) float64
	// What is promised of it.
	overshoot float64 // replicas at most, as a multiple of what the highest load needs
	recovery  int     // s until the pods' mean is back at the target, after it was above
	direction int     // changes between up and down at most
	waste     float64 // pod seconds at most, as a multiple of what the load needs at each moment
}

// shapes are in units of what the least replicas carry at the target.
func shapes(base float64) []shape {
	noise := rand.New(rand.NewPCG(1, 2)) // the same noise each time
	return []shape{
		{"steady", 3600, func(int) float64 { return base * (0.85 + 0.1*noise.Float64()) }, 1, 0, 0, 1.4},
		{"step", 3600, func(t int) float64 { return pick(t >= 300 && t < 1800, 3, 0.6) * base }, 1.5, 120, 1, 1.8},
		{"ramp", 5400, func(t int) float64 { return base * (0.6 + 2.6*math.Min(1, float64(t)/1800)*pick(t < 3000, 1, 0)) }, 1.3, 90, 1, 1.6},
		{"spike", 3600, func(t int) float64 { return pick(t >= 300 && t < 345, 3.5, 0.6) * base }, 1.3, 90, 1, 2.5},
		{"sawtooth", 7200, func(t int) float64 { return base * (0.5 + 2.5*float64(t%240)/240) }, 1.3, 200, 0, 2.5}, // it chases the load while that rises
		{"waves", 7200, func(t int) float64 { return base * (0.5 + 2.5*float64(t%600)/600) }, 1.3, 90, 2 * 7200 / 600, 2.5},
		{"daily", 86400, func(t int) float64 {
			day := 0.5 - 0.5*math.Cos(2*math.Pi*float64(t)/86400)
			return base * (0.4 + 2.4*day) * (0.95 + 0.1*noise.Float64())
		}, 1.3, 90, 1, 1.5},
	}
}

func pick(first bool, a, b float64) float64 {
	if first {
		return a
	}
	return b
}

// TestAutoscaling plays the algorithm of autoscaling/v2 with production's values over
// shapes of load, and holds it to what is promised of each. What it prints are
// predictions for a drill on a cluster to check.
func TestAutoscaling(t *testing.T) {
	objects := mustRender(t, file(t, "prod"), given())
	for _, name := range []string{"bourse-api", "bourse-web"} {
		s := scalerOf(t, objects, name)
		base := s.target * s.request * float64(s.min)
		for _, shape := range shapes(base) {
			t.Run(name+"/"+shape.name, func(t *testing.T) {
				r := s.worst(shape)
				t.Log(r)
				if need := s.need(r.highestLoad); float64(r.most) > math.Ceil(shape.overshoot*need) {
					t.Errorf("%d replicas, of which the load needs %.0f", r.most, need)
				}
				if r.recovery > shape.recovery {
					t.Errorf("above the target for %d s, promised were %d", r.recovery, shape.recovery)
				}
				if r.turns > shape.direction {
					t.Errorf("it turned %d times, promised were %d: %s", r.turns, shape.direction, r.history)
				}
				if r.waste > shape.waste {
					t.Errorf("%.2f times the pods that the load needs, promised were %.2f", r.waste, shape.waste)
				}
				if r.unserved > 0 {
					t.Errorf("the pods' limits could not carry the load for %d s", r.unserved)
				}
			})
		}
	}
}

// worst runs a shape in clusters of all kinds of phases. It returns the worst of each.
func (s scaler) worst(shape shape) result {
	var worst result
	for n := range phases {
		r := s.run(shape, inPhase(n, resolution, startTime))
		if n > 0 {
			r.most, r.recovery, r.turns = max(r.most, worst.most), max(r.recovery, worst.recovery), max(r.turns, worst.turns)
			r.unserved, r.waste = max(r.unserved, worst.unserved), math.Max(r.waste, worst.waste)
			r.highestLoad = math.Max(r.highestLoad, worst.highestLoad)
		}
		worst = r
	}
	return worst
}

// TestAutoscalingDefaults sees that the simulation notices what our behaviour is for:
// without stabilization a sawtooth makes it flap, and without a rate for scaling up it
// takes longer.
func TestAutoscalingDefaults(t *testing.T) {
	objects := mustRender(t, file(t, "prod"), given())
	s := scalerOf(t, objects, "bourse-api")
	all := shapes(s.target * s.request * float64(s.min))

	nervous := s
	nervous.behavior = s.behavior.DeepCopy()
	none := int32(0)
	nervous.behavior.ScaleDown.StabilizationWindowSeconds = &none
	for _, shape := range all {
		if shape.name == "sawtooth" {
			if r := nervous.worst(shape); r.turns <= shape.direction {
				t.Errorf("without stabilization it turns %d times only", r.turns)
			}
		}
	}
	slow := s
	slow.behavior = s.behavior.DeepCopy()
	slow.behavior.ScaleUp.Policies = []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}}
	for _, shape := range all {
		if shape.name == "step" {
			if r := slow.worst(shape); r.recovery <= shape.recovery {
				t.Errorf("one pod a minute recovers in %d s", r.recovery)
			}
		}
	}
}

func scalerOf(t *testing.T, objects []*unstructured.Unstructured, name string) scaler {
	t.Helper()
	var hpa autoscalingv2.HorizontalPodAutoscaler
	text, err := kind(objects, "HorizontalPodAutoscaler", name)[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &hpa); err != nil {
		t.Fatal(err)
	}
	of := podTemplate(t, kind(objects, "Deployment", name)[0]).Spec.Containers[0].Resources
	return scaler{
		min: int(*hpa.Spec.MinReplicas), max: int(hpa.Spec.MaxReplicas),
		target:   float64(*hpa.Spec.Metrics[0].Resource.Target.AverageUtilization) / 100,
		request:  of.Requests.Cpu().AsApproximateFloat64(),
		limit:    of.Limits.Cpu().AsApproximateFloat64(),
		behavior: hpa.Spec.Behavior,
	}
}
