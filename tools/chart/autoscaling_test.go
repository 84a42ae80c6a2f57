package chart

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What a cluster takes: as of metrics-server, the controller's defaults and a program
// that is ready at once on a node that has its image.
const (
	syncPeriod   = 15   // s between two looks of the controller
	metricWindow = 15   // s that a reading of CPU is the mean of
	metricAge    = 15   // s that it is old when the controller reads it
	startTime    = 8    // s until a new pod is ready
	tolerance    = 0.10 // of the target, within which nothing changes
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
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same noise each time is the point
	return []shape{
		{"steady", 3600, func(int) float64 { return base * (0.85 + 0.1*noise.Float64()) }, 1, 0, 0, 1.4},
		{"step", 3600, func(t int) float64 { return pick(t >= 300 && t < 1800, 3, 0.6) * base }, 1.5, 90, 1, 1.8},
		{"ramp", 5400, func(t int) float64 { return base * (0.6 + 2.6*math.Min(1, float64(t)/1800)*pick(t < 3000, 1, 0)) }, 1.3, 90, 1, 1.6},
		{"spike", 3600, func(t int) float64 { return pick(t >= 300 && t < 345, 3.5, 0.6) * base }, 1.3, 90, 1, 2.5},
		{"sawtooth", 7200, func(t int) float64 { return base * (0.5 + 2.5*float64(t%240)/240) }, 1.3, 150, 0, 2.5}, // it chases the load while that rises
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
				r := s.run(shape)
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
			if r := nervous.run(shape); r.turns <= shape.direction {
				t.Errorf("without stabilization it turns %d times only", r.turns)
			}
		}
	}
	slow := s
	slow.behavior = s.behavior.DeepCopy()
	slow.behavior.ScaleUp.Policies = []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}}
	for _, shape := range all {
		if shape.name == "step" {
			if r := slow.run(shape); r.recovery <= shape.recovery {
				t.Errorf("one pod a minute recovers in %d s", r.recovery)
			}
		}
	}
}

// A scaler is an autoscaler and what it scales.
type scaler struct {
	min, max       int
	target         float64 // share of the request
	request, limit float64 // cores of a pod
	behavior       *autoscalingv2.HorizontalPodAutoscalerBehavior
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

// need returns how many replicas a load needs at the target.
func (s scaler) need(load float64) float64 {
	return math.Min(float64(s.max), math.Max(float64(s.min), math.Ceil(load/s.target/s.request-1e-9)))
}

// A result is how a load went.
type result struct {
	shape       string
	most        int
	highestLoad float64
	recovery    int // s above the target, at the longest
	unserved    int // s in which the limits were reached
	turns       int // changes of direction
	waste       float64
	history     string
}

func (r result) String() string {
	return fmt.Sprintf("%-8s  %2d s above the target at the longest, %2d replicas at most, %d turns, %.2f times the pods needed: %s",
		r.shape, r.recovery, r.most, r.turns, r.waste, r.history)
}

// A play is a run of a scaler.
type play struct {
	scaler
	pods    []int     // when each was started
	usage   []float64 // cores of a ready pod, each second
	advised []advice
	events  []change
}

type advice struct{ at, replicas int }

type change struct{ at, by int }

func (s scaler) run(shape shape) result {
	p := play{scaler: s}
	for range s.min {
		p.pods = append(p.pods, -3600)
	}
	r := result{shape: shape.name, most: s.min}
	above, direction, used, needed := 0, 0, 0.0, 0.0
	for t := range shape.length {
		load := shape.load(t)
		r.highestLoad = math.Max(r.highestLoad, load)
		each := load / float64(p.ready(t))
		if each > s.limit {
			r.unserved++
			each = s.limit
		}
		p.usage = append(p.usage, each)
		if each > s.target*(1+tolerance)*s.request && len(p.pods) < s.max {
			above++
		} else {
			above = 0
		}
		r.recovery = max(r.recovery, above)
		used, needed = used+float64(len(p.pods)), needed+s.need(load)
		if t%syncPeriod != syncPeriod-1 {
			continue
		}
		by := p.sync(t)
		if by == 0 {
			continue
		}
		if sign := by / int(math.Abs(float64(by))); sign != direction {
			if direction != 0 {
				r.turns++
			}
			direction = sign
		}
		r.most = max(r.most, len(p.pods))
		r.history += fmt.Sprintf(" %d@%s", len(p.pods), clock(t))
	}
	r.waste = used / needed
	r.history = strings.TrimSpace(r.history)
	return r
}

func clock(t int) string { return fmt.Sprintf("%d:%02d", t/60, t%60) }

func (p *play) ready(t int) int {
	n := 0
	for _, started := range p.pods {
		if t >= started+startTime {
			n++
		}
	}
	return n
}

// sync is one look of the controller; it returns by how much it scaled.
func (p *play) sync(t int) int {
	now := len(p.pods)
	desired := p.desired(t)
	p.advised = append(p.advised, advice{t, desired})
	desired = p.stabilized(t, now, desired)
	desired = min(max(desired, p.lowest(t, now), p.min), p.highest(t, now), p.max)
	by := desired - now
	if by != 0 {
		p.events = append(p.events, change{t, by})
	}
	for ; by > 0; by-- {
		p.pods = append(p.pods, t)
	}
	p.pods = p.pods[:desired] // the youngest go first, about
	return desired - now
}

// desired is what the readings ask for. Pods without a reading yet count as idle when it
// is about more replicas, and as using all of their request when it is about less.
func (p *play) desired(t int) int {
	from, to := max(0, t-metricAge-metricWindow+1), max(1, t-metricAge+1)
	mean := 0.0
	for _, u := range p.usage[from:to] {
		mean += u / float64(to-from)
	}
	now, missing := len(p.pods), 0
	for _, started := range p.pods {
		if t-metricAge-metricWindow < started+startTime {
			missing++
		}
	}
	ratio := mean / p.request / p.target
	all := ratio * float64(now-missing)
	if ratio < 1 {
		all += float64(missing) / p.target
	}
	all /= float64(now)
	if math.Abs(all-1) <= tolerance || (ratio < 1) != (all < 1) {
		return now
	}
	return int(math.Ceil(all*float64(now) - 1e-9))
}

// stabilized takes the least that was advised within the window of scaling up, and the
// most within that of scaling down.
func (p *play) stabilized(t, now, desired int) int {
	least, most := desired, desired
	for _, a := range p.advised {
		if a.at > t-int(*p.behavior.ScaleUp.StabilizationWindowSeconds) {
			least = min(least, a.replicas)
		}
		if a.at > t-int(*p.behavior.ScaleDown.StabilizationWindowSeconds) {
			most = max(most, a.replicas)
		}
	}
	return max(min(now, most), least)
}

// highest and lowest are as far as the policies let it go in one step.
func (p *play) highest(t, now int) int {
	limit := 0
	for _, policy := range p.behavior.ScaleUp.Policies {
		start := now - p.changed(t, policy.PeriodSeconds)
		to := start + int(policy.Value)
		if policy.Type == autoscalingv2.PercentScalingPolicy {
			to = int(math.Ceil(float64(start) * (1 + float64(policy.Value)/100)))
		}
		limit = max(limit, to)
	}
	return max(limit, now)
}

func (p *play) lowest(t, now int) int {
	limit := math.MaxInt
	for _, policy := range p.behavior.ScaleDown.Policies {
		start := now - p.changed(t, policy.PeriodSeconds)
		to := start - int(policy.Value)
		if policy.Type == autoscalingv2.PercentScalingPolicy {
			to = int(float64(start) * (1 - float64(policy.Value)/100))
		}
		limit = min(limit, to)
	}
	return min(limit, now)
}

// changed is by how much the last period scaled.
func (p *play) changed(t int, period int32) int {
	sum := 0
	for _, c := range p.events {
		if c.at > t-int(period) {
			sum += c.by
		}
	}
	return sum
}
