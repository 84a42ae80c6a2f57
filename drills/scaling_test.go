package drills

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The load, and the pods that are small enough for it to need many of them. At the height
// of the step three pods are near their limits: on a machine that is busy, their answers are late.
const (
	scalingValues = `{"api": {
		"autoscaling": {"enabled": true, "minReplicas": 3, "maxReplicas": 12},
		"resources": {"requests": {"cpu": "80m", "memory": "256Mi"}, "limits": {"cpu": "160m", "memory": "256Mi"}}}}`
	podAtTarget = 0.6 * 0.080 // cores: the chart's cpuPercent of that request
	leastPods   = 3
	stepPods    = 8.5 // what the step asks for: its demand in cores is that of so many pods at the target
	baseRate    = 10  // requests a second, which the least pods carry with room for what readings vary by

	baseFor = 75 * time.Second
	stepFor = 150 * time.Second
)

// What is promised of it.
const (
	firstOutWithin  = 60 * time.Second  // from the step to the first replica more
	strengthWithin  = 130 * time.Second // to when all are ready that it asks for
	recoveredWithin = 140 * time.Second // to when the answers are as fast as before
	leastStay       = 285 * time.Second // from the last replica more to the first less: 300 s of stabilization, less what samples are apart
	minimumWithin   = 540 * time.Second // to the least replicas
	late            = 250               // ms: a p99 of more is late; before the step it is a third of that at most
)

// A recording is what a run has measured, for the simulation of tools/chart to play.
type recording struct {
	Values     json.RawMessage `json:"values"`
	Resolution float64         `json:"resolution"` // s between two readings of metrics-server
	Start      float64         `json:"start"`      // s until a pod is ready, before the load
	Cost       float64         `json:"cost"`       // core seconds of a request, before the step
	Step       float64         `json:"step"`       // s: when the load went up
	End        float64         `json:"end"`        // s: when it went back
	Measured   measured        `json:"measured"`
	Samples    []sample        `json:"samples"`
}

// measured is how it went.
type measured struct {
	Most     int     `json:"most"`     // replicas
	Strength float64 `json:"strength"` // s from the step until that many were ready
	Minimum  float64 `json:"minimum"`  // s from the end of the load to the least replicas
}

// A sample is what was seen at a time, and of the requests since the one before.
type sample struct {
	At      float64 `json:"at"`      // s
	Offered float64 `json:"offered"` // requests a second
	P50     float64 `json:"p50"`     // ms
	P99     float64 `json:"p99"`     // ms
	Failed  int     `json:"failed"`
	Desired int     `json:"desired"`
	Ready   int     `json:"ready"`
	Cores   []int   `json:"cores"` // thousandths, of each pod that metrics-server has a reading of
}

// TestScaling raises the load to what three times as many pods need, and lowers it again.
// The autoscaler follows, the answers are as fast as before, and nothing flaps. Then the
// simulation of tools/chart plays the same load, and must have predicted it.
func TestScaling(t *testing.T) {
	c := installed(t)
	file := filepath.Join(t.TempDir(), "values.json")
	if err := os.WriteFile(file, []byte(scalingValues), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := c.upgrade(context.Background(), "drill"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	if out, err := c.upgrade(t.Context(), "drill", "-f", file); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := &run{t: t, c: c, pacer: &pacer{url: c.url}}
	r.Values = json.RawMessage(scalingValues)
	r.settle()
	r.play()
	path := filepath.Join(t.ArtifactDir(), "scaling.json")
	text, err := json.Marshal(r.recording)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`\{"at"`).ReplaceAll(text, []byte("\n{\"at\""))
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BOURSE_TEST_RECORDING", path)
	out, err := c.command(t.Context(), "go", "-C", "tools/chart", "test", ".", "-run", "TestRecorded", "-count=1", "-v")
	t.Log(out)
	if err != nil {
		t.Error(err)
	}
}

// run is a run of this drill.
type run struct {
	recording
	t     *testing.T
	c     *cluster
	pacer *pacer
	began time.Time
}

// settle waits for the autoscaler to know its pods, and measures what the cluster takes.
func (r *run) settle() {
	r.t.Helper()
	for began := time.Now(); ; r.c.pause(r.t.Context(), 2*time.Second) {
		desired, ready := r.replicas()
		utilization := r.kubectl("get", "hpa", release+"-api", "-o", "jsonpath={.status.currentMetrics[0].resource.current.averageUtilization}")
		pods := strings.Fields(r.kubectl("get", "pods", "-l", "app.kubernetes.io/component=api", "-o", "name"))
		if desired == leastPods && ready == leastPods && len(pods) == leastPods && utilization != "" {
			break
		}
		if time.Since(began) > patience {
			r.t.Fatalf("the autoscaler does not settle: %d of %d ready\n%s", ready, desired, r.c.state(r.t.Context()))
		}
	}
	args := r.kubectl("get", "pods", "-A", "-l", "k8s-app=metrics-server", "-o", "jsonpath={.items[0].spec.containers[0].args}")
	resolution := regexp.MustCompile(`--metric-resolution=(\w+)`).FindStringSubmatch(args)
	if resolution == nil {
		r.t.Fatalf("metrics-server does not say its resolution: %s", args)
	}
	every, err := time.ParseDuration(resolution[1])
	if err != nil {
		r.t.Fatal(err)
	}
	r.Resolution = every.Seconds()
	times := strings.Fields(r.kubectl("get", "pods", "-l", "app.kubernetes.io/component=api",
		"-o", `jsonpath={range .items[*]}{.metadata.creationTimestamp} {.status.conditions[?(@.type=="Ready")].lastTransitionTime} {end}`))
	for i := 0; i+1 < len(times); i += 2 {
		r.Start += parse(r.t, times[i+1]).Sub(parse(r.t, times[i])).Seconds() / leastPods
	}
	r.t.Logf("metrics-server asks every %s; a pod is ready after %.1f s", every, r.Start)
}

// play sends the load and watches.
func (r *run) play() {
	t := r.t
	t.Helper()
	r.began = time.Now()
	stop := r.pacer.start(t, baseRate)
	defer stop()
	r.watch(baseFor, func(s sample) bool {
		if s.Desired > leastPods {
			t.Fatalf("the base load needs more than %d pods", leastPods)
		}
		return false
	})
	// What a request costs is known from before the step, while no pod is near its limit: so
	// the demand of the step is what was offered, and not what the pods that there were took.
	demand := r.demand(r.now()-30, r.now()) // readings are up to 40 s behind
	r.Cost = demand / baseRate
	rate := stepPods * podAtTarget / r.Cost
	t.Logf("%d requests a second take %.3f cores, %.2f ms each", baseRate, demand, 1000*r.Cost)
	r.Step = r.now()
	t.Logf("step to %.0f requests a second, %.3f cores, which %.1f pods carry at the target", rate, rate*r.Cost, stepPods)
	r.pacer.set(rate)
	r.watch(stepFor, func(sample) bool { return false })
	full := r.demand(r.now()-25, r.now())
	t.Logf("in the end it took %.3f cores, %.2f times the demand", full, full/rate/r.Cost)
	r.End = r.now()
	t.Log("back to the base load")
	r.pacer.set(baseRate)
	minimum := r.watch(minimumWithin+30*time.Second, func(s sample) bool { return s.Desired == leastPods })
	r.judge()
	if !minimum {
		t.Fatalf("not back at %d replicas after %.0f s", leastPods, r.now()-r.End)
	}
}

// judge says how it went, and whether that is as promised.
func (r *run) judge() {
	t := r.t
	t.Helper()
	requests, failed := 0.0, 0
	for i, s := range r.Samples {
		requests += s.Offered * (s.At - r.Samples[max(i-1, 0)].At)
		failed += s.Failed
		r.Measured.Most = max(r.Measured.Most, s.Desired)
	}
	out := r.first(func(s sample) bool { return s.Desired > leastPods })
	full := r.first(func(s sample) bool { return s.Ready >= r.Measured.Most })
	most := r.first(func(s sample) bool { return s.Desired == r.Measured.Most })
	in := r.first(func(s sample) bool { return s.At > most && s.Desired < r.Measured.Most })
	least := r.first(func(s sample) bool { return s.At > r.End && s.Desired == leastPods })
	r.Measured.Strength, r.Measured.Minimum = full-r.Step, least-r.End
	turns := r.turns()
	t.Logf("%.0f requests, %d failed; %d replicas at most, %d turns", requests, failed, r.Measured.Most, turns)
	within := func(what string, took float64, least, most time.Duration) {
		t.Logf("%-42s %4.0f s", what, took)
		if fine := took >= least.Seconds() && took <= most.Seconds(); !fine { // as NaN is
			t.Errorf("%s: %.0f s, promised were %s to %s", what, took, least, most)
		}
	}
	within("step to the first replica more", out-r.Step, 0, firstOutWithin)
	within("step to full strength, all ready", r.Measured.Strength, 0, strengthWithin)
	within("step to answers in time again", r.recovered(), 0, recoveredWithin)
	within("last replica more to the first less", in-most, leastStay, minimumWithin)
	within("end of the load to the first replica less", in-r.End, 0, minimumWithin) // soon, where the step overshot
	within("end of the load to the least replicas", r.Measured.Minimum, leastStay, minimumWithin)
	if turns != 1 {
		t.Errorf("it turned %d times", turns)
	}
	if failed > 0 {
		t.Errorf("%d requests failed: %v", failed, r.pacer.err)
	}
}

// first is when something was seen first; NaN if never.
func (r *run) first(is func(sample) bool) float64 {
	i := slices.IndexFunc(r.Samples, is)
	if i < 0 {
		return math.NaN()
	}
	return r.Samples[i].At
}

// turns is how often the autoscaler changed between more and less: once, from the step to
// its end. More is flapping.
func (r *run) turns() int {
	turns, direction := 0, 0
	for i := 1; i < len(r.Samples); i++ {
		way := cmp.Compare(r.Samples[i].Desired, r.Samples[i-1].Desired)
		if way == 0 {
			continue
		}
		if way == -direction {
			turns++
		}
		direction = way
	}
	return turns
}

// watch takes a sample about every 5 s, for some time or until one is enough.
func (r *run) watch(d time.Duration, enough func(sample) bool) bool {
	r.t.Helper()
	for end := time.Now().Add(d); ; {
		next := time.Now().Add(5 * time.Second)
		if next.After(end) {
			next = end
		}
		r.c.pause(r.t.Context(), time.Until(next))
		s := r.sample()
		r.Samples = append(r.Samples, s)
		r.t.Logf("%5.0f s: %3.0f requests a second, p50 %4.0f ms, p99 %4.0f ms, %d failed; %2d replicas, %2d ready; %v m",
			s.At, s.Offered, s.P50, s.P99, s.Failed, s.Desired, s.Ready, s.Cores)
		if enough(s) {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
	}
}

func (r *run) now() float64 { return math.Round(10*time.Since(r.began).Seconds()) / 10 }

func (r *run) sample() sample {
	r.t.Helper()
	s := r.pacer.take()
	s.Desired, s.Ready = r.replicas()
	s.At = r.now()
	var list struct {
		Items []struct {
			Metadata   struct{ Labels map[string]string }
			Containers []struct{ Usage struct{ CPU string } }
		}
	}
	text := r.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/"+namespace+"/pods")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		r.t.Fatal(err)
	}
	for _, pod := range list.Items {
		if pod.Metadata.Labels["app.kubernetes.io/component"] != "api" {
			continue
		}
		s.Cores = append(s.Cores, thousandths(r.t, pod.Containers[0].Usage.CPU))
	}
	return s
}

// thousandths reads a quantity of cores, which metrics-server gives in billionths, or in
// larger parts where these are whole.
func thousandths(t *testing.T, quantity string) int {
	t.Helper()
	number := strings.TrimRight(quantity, "num")
	n, err := strconv.Atoi(number)
	part, known := map[string]float64{"n": 1e-6, "u": 1e-3, "m": 1, "": 1000}[quantity[len(number):]]
	if err != nil || !known {
		t.Fatalf("CPU %q: %v", quantity, err)
	}
	return int(float64(n) * part)
}

// demand is the CPU that all pods took, by the readings of a while.
func (r *run) demand(from, to float64) float64 {
	sum, n := 0.0, 0
	for _, s := range r.Samples {
		if s.At < from || s.At > to {
			continue
		}
		for _, cores := range s.Cores {
			sum += float64(cores) / 1000
		}
		n++
	}
	return sum / float64(max(n, 1))
}

// recovered is how long after the step the answers began to be no longer late, for at
// least three samples in a row: 0 if they never were, NaN if they stayed so.
func (r *run) recovered() float64 {
	was, good, since := false, 0, 0.0
	for _, s := range r.Samples {
		switch {
		case s.At <= r.Step || s.At > r.End:
		case s.P99 > late:
			was, good = true, 0
		case was:
			if good++; good == 1 {
				since = s.At - r.Step
			}
			if good == 3 {
				return since
			}
		}
	}
	if was {
		return math.NaN()
	}
	r.t.Logf("the answers were never late: no p99 of more than %d ms", late)
	return 0
}

// replicas returns how many the autoscaler wants and how many are ready.
func (r *run) replicas() (desired, ready int) {
	r.t.Helper()
	text := r.kubectl("get", "hpa/"+release+"-api", "deployment/"+release+"-api",
		"-o", "jsonpath={.items[0].status.desiredReplicas}/{.items[1].status.readyReplicas}")
	_, _ = fmt.Sscanf(text, "%d/%d", &desired, &ready) // neither is there while it is zero
	return desired, ready
}

func (r *run) kubectl(args ...string) string {
	r.t.Helper()
	out, err := r.c.kubectl(r.t.Context(), append([]string{"-n", namespace}, args...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func parse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
