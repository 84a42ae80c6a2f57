package chart

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// What every cluster has, by the defaults of the controller and of the kubelet, in seconds.
const (
	syncPeriod     = 15   // between two looks of the controller
	initialization = 300  // of a pod, in which its readings count only from when it was ready
	housekeeping   = 10   // between two readings of a container's CPU at least; at most twice that, by chance
	tolerance      = 0.10 // of the target, within which nothing changes
)

// A cluster is where a scaler runs. Its phases are unknown to whoever sends the load.
type cluster struct {
	resolution int // s between two looks of metrics-server at the kubelets
	start      int // s from when a pod is wanted until it is ready
	sync       int // phase of the controller, s
	scrape     int // phase of metrics-server, s
	chance     *rand.Rand
}

// inPhase returns the nth of the phases that a cluster can be in.
func inPhase(n, resolution, start int) cluster {
	chance := rand.New(rand.NewPCG(1, uint64(n))) // the same each time
	return cluster{resolution, start, chance.IntN(syncPeriod), chance.IntN(resolution), chance}
}

// A scaler is an autoscaler and what it scales.
type scaler struct {
	min, max       int
	target         float64 // share of the request
	request, limit float64 // cores of a pod
	behavior       *autoscalingv2.HorizontalPodAutoscalerBehavior
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
	wanted      []int // replicas, each second
	ready       []int
	history     string
}

func (r result) String() string {
	return fmt.Sprintf("%-8s  %2d s above the target at the longest, %2d replicas at most, %d turns, %.2f times the pods needed: %s",
		r.shape, r.recovery, r.most, r.turns, r.waste, r.history)
}

// A play is a run of a scaler in a cluster.
type play struct {
	scaler
	cluster
	pods    []*pod
	advised []advice
	events  []change
}

type advice struct{ at, replicas int }

type change struct{ at, by int }

// A pod is a replica and what is known of its CPU: the kubelet reads its counter now and
// then, and metrics-server keeps the last two of these points that it has seen.
type pod struct {
	started, ready int
	used           float64 // core seconds
	next           int     // when the kubelet reads it again
	read           point
	last, previous point
	points         int // that metrics-server has seen
}

type point struct {
	at   int
	used float64
}

func (p *play) newPod(t int) *pod {
	return &pod{started: t, ready: t + p.start, next: t + 1}
}

// measure lets the kubelet read counters, and metrics-server ask the kubelet.
func (p *play) measure(t int) {
	for _, pod := range p.pods {
		if t >= pod.next {
			pod.read = point{t, pod.used}
			pod.next = t + housekeeping + p.chance.IntN(housekeeping+1)
		}
		if t%p.resolution == p.scrape && pod.read.at > pod.last.at {
			pod.previous, pod.last = pod.last, pod.read
			pod.points++
		}
	}
}

func (s scaler) run(shape shape, in cluster) result {
	p := play{scaler: s, cluster: in}
	for range s.min {
		old := p.newPod(-3600)
		old.next = -p.chance.IntN(housekeeping)
		old.last, old.points = point{at: -1000}, 1
		p.pods = append(p.pods, old)
	}
	r := result{shape: shape.name, most: s.min}
	above, direction, used, needed := 0, 0, 0.0, 0.0
	for t := range shape.length {
		load := shape.load(t)
		r.highestLoad = math.Max(r.highestLoad, load)
		ready := p.serving(t)
		each := load / float64(len(ready))
		if each > s.limit {
			r.unserved++
			each = s.limit
		}
		for _, pod := range ready {
			pod.used += each
		}
		p.measure(t)
		above++
		if each <= s.target*(1+tolerance)*s.request || len(p.pods) == s.max {
			above = 0
		}
		r.recovery = max(r.recovery, above)
		used, needed = used+float64(len(p.pods)), needed+s.need(load)
		if by := p.look(t); by != 0 {
			if way := cmp.Compare(by, 0); way != direction {
				if direction != 0 {
					r.turns++
				}
				direction = way
			}
			r.most = max(r.most, len(p.pods))
			r.history += fmt.Sprintf(" %d@%s", len(p.pods), clock(t))
		}
		r.wanted, r.ready = append(r.wanted, len(p.pods)), append(r.ready, len(p.serving(t)))
	}
	r.waste = used / needed
	r.history = strings.TrimSpace(r.history)
	return r
}

func clock(t int) string { return fmt.Sprintf("%d:%02d", t/60, t%60) }

func (p *play) serving(t int) []*pod {
	var ready []*pod
	for _, pod := range p.pods {
		if t >= pod.ready {
			ready = append(ready, pod)
		}
	}
	return ready
}

// look is one look of the controller, if it is time; it returns by how much it scaled.
func (p *play) look(t int) int {
	// Before the first readings of a play there is nothing to see.
	if t%syncPeriod != p.sync || t < 3*housekeeping+p.resolution {
		return 0
	}
	now := len(p.pods)
	desired := p.desired(t)
	advised := desired
	desired = p.stabilized(t, now, desired)
	p.advised = append(p.advised, advice{t, advised})
	desired = min(max(desired, p.lowest(t, now), p.min), p.highest(t, now), p.max)
	by := desired - now
	if by != 0 {
		p.events = append(p.events, change{t, by})
	}
	for range by {
		p.pods = append(p.pods, p.newPod(t))
	}
	p.pods = p.pods[:desired] // the youngest go first, about
	return by
}

// desired is what the readings ask for. A pod that has been ready for less than its
// reading spans does not count: it is taken as idle when it is about more replicas. One
// without a reading is too, and as using all of its request when it is about less.
func (p *play) desired(t int) int {
	now, sum, counted, unready, missing := len(p.pods), 0.0, 0, 0, 0
	for _, pod := range p.pods {
		switch {
		case pod.points < 2:
			missing++
		case t < pod.started+initialization && pod.previous.at < pod.ready:
			unready++
		default:
			counted++
			sum += (pod.last.used - pod.previous.used) / float64(pod.last.at-pod.previous.at)
		}
	}
	if counted == 0 {
		return now
	}
	ratio := p.ratio(sum, counted)
	if up := ratio > 1 && unready > 0; up || missing > 0 {
		all := counted + missing
		if ratio < 1 {
			sum += float64(missing) * p.request
		}
		if up {
			all += unready
		}
		before := ratio
		ratio = p.ratio(sum, all)
		if before < 1 != (ratio < 1) {
			return now
		}
		counted = all
	}
	if math.Abs(ratio-1) <= tolerance {
		return now
	}
	return int(math.Ceil(ratio*float64(counted) - 1e-9))
}

// ratio is that of the pods' use to the target; the controller knows whole percents.
func (p *play) ratio(sum float64, pods int) float64 {
	return math.Floor(100*sum/float64(pods)/p.request+1e-9) / 100 / p.target
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
	return min(max(now, least), most)
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
