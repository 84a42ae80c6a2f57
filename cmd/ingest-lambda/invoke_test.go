package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bourse/internal/lambdatest"
	"bourse/internal/market"
)

// scheduled is the event of a schedule.
func scheduled(source string) string {
	return `{"reason":"schedule","source":"` + source + `","window":""}`
}

// answered is what the function answers.
type answered struct {
	Run      int64          `json:"run"`
	Source   string         `json:"source"`
	Outcome  market.Outcome `json:"outcome"`
	Error    string         `json:"error"`
	Complete bool           `json:"complete"`
	Skipped  bool           `json:"skipped"`
	Inserted int            `json:"inserted"`
	Revised  int            `json:"revised"`
	Rejected int            `json:"rejected"`
}

// entry is a line of the log that is no metric.
type entry map[string]any

func (e entry) text(name string) string {
	s, _ := e[name].(string)
	return s
}

// said is what an invocation wrote: every line has to be JSON.
type said struct {
	log     []entry
	metrics []emf
}

var hexID = regexp.MustCompile(`^[0-9a-f]+$`)

// read reads the lines of an invocation and holds them to what all of them promise.
func read(t *testing.T, r lambdatest.Result) (s said) {
	t.Helper()
	for _, line := range r.Lines {
		m, isMetric, err := readEMF(line, time.Now())
		if err != nil {
			t.Error(err)
			continue
		}
		if isMetric {
			s.metrics = append(s.metrics, m)
			expect(t, "namespace", m.Namespace, "bourse")
			expect(t, "dimensions", strings.Join(m.Dimensions, " "), "function source")
			expect(t, "function", m.Members["function"], functionName)
			continue
		}
		e := entry(m.Members)
		s.log = append(s.log, e)
		if e.text("service") != "ingest-lambda" || e.text("time") == "" || e.text("level") == "" || e.text("msg") == "" {
			t.Errorf("a line lacks time, level, msg or service: %s", line)
		}
		if id, ok := e["request"]; ok && id != r.RequestID {
			t.Errorf("a line is of the request %v: %s", id, line)
		}
		for _, name := range []string{"trace", "span"} {
			if id, ok := e[name]; ok && !hexID.MatchString(e.text(name)) {
				t.Errorf("%s is %v: %s", name, id, line)
			}
		}
	}
	return s
}

// entryOf returns the line with a message.
func (s said) entryOf(t *testing.T, msg string) entry {
	t.Helper()
	for _, e := range s.log {
		if e.text("msg") == msg {
			return e
		}
	}
	t.Errorf("the log has no line %q: %v", msg, s.log)
	return entry{}
}

// run reads the answer of an invocation that succeeded.
func run(t *testing.T, r lambdatest.Result) (a answered) {
	t.Helper()
	if err := json.Unmarshal(r.Body, &a); err != nil || r.Failed {
		t.Fatalf("the invocation failed, %s: %s\n%s", r.ErrorType, r.Body, strings.Join(r.Lines, "\n"))
	}
	return a
}

const (
	trace       = "5759e988bd862e3fe1be46a994272793"
	traceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
)

// TestInvocations: a first run, one with nothing new, a new day, a correction, a backfill.
func TestInvocations(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	f := b.function()
	all := strings.Count(b.published(), "\n")
	var day market.Date
	for _, c := range []struct {
		name, event       string
		prepare           func()
		trigger, asked    string
		inserted, revised int
	}{
		{name: "first", event: scheduled("ecb"), trigger: "schedule", asked: "daily.xml hist.zip", inserted: all},
		{name: "again", event: scheduled("ecb"), trigger: "schedule", asked: "daily.xml hist-90d.xml"},
		{
			name: "correction", event: scheduled("ecb"), trigger: "schedule", asked: "daily.xml hist-90d.xml", revised: 1,
			prepare: func() { b.feed.Set("USD", b.feed.Newest(), "1.0999") },
		},
		{
			name: "backfill", event: `{"source":"ecb","window":"DAY/DAY","reason":"mended"}`, trigger: "backfill", asked: "hist-90d.xml", revised: 1,
			prepare: func() {
				day = b.feed.Newest() - 30
				day = market.TARGET.Before(day)
				b.feed.Set("JPY", day, "161.5")
			},
		},
	} {
		if c.prepare != nil {
			c.prepare()
		}
		r := f.Invoke(lambdatest.Event{Body: strings.ReplaceAll(c.event, "DAY", day.String()), Trace: traceHeader})
		a := run(t, r)
		expect(t, c.name+": outcome", a.Outcome, market.OK)
		expect(t, c.name+": complete", a.Complete, true)
		expect(t, c.name+": source", a.Source, "ecb")
		expect(t, c.name+": asked", b.feed.took(), c.asked)
		expect(t, c.name+": inserted", a.Inserted, c.inserted)
		expect(t, c.name+": revised", a.Revised, c.revised)
		record := b.runs()[0]
		expect(t, c.name+": record", record.ID, a.Run)
		expect(t, c.name+": trigger", record.Trigger, c.trigger)
		said := read(t, r)
		line := said.entryOf(t, "run finished")
		expect(t, c.name+": request of the log", line.text("request"), r.RequestID)
		expect(t, c.name+": trace of the log", line.text("trace"), trace)
		if len(said.metrics) != 1 {
			t.Fatalf("%s: %d lines of metrics", c.name, len(said.metrics))
		}
		m := said.metrics[0]
		expect(t, c.name+": metrics", m.names(), "duration lag quarantined revisions rows")
		expect(t, c.name+": rows", m.Values["rows"], float64(c.inserted))
		expect(t, c.name+": revisions", m.Values["revisions"], float64(c.revised))
		expect(t, c.name+": quarantined", m.Values["quarantined"], 0.0)
		expect(t, c.name+": lag", m.Values["lag"], 0.0)
		b.whole()
	}
	left, err := os.ReadDir(f.Dir())
	if err != nil || len(left) > 0 {
		t.Errorf("it wrote into its folder, which Lambda does not let it: %v %v", left, err)
	}
}

// TestMalformed: an event that is none changes nothing, and the next one runs.
func TestMalformed(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	f := b.function()
	before := strings.Join(b.dump(), "\n")
	for _, event := range []string{
		`{`, `null`, `[]`, `"ecb"`, `{}`, ` `, `{"source":""}`, `{"source":"nobody","window":"","reason":"schedule"}`,
		`{"source":"coinbase","window":"","reason":"schedule"}`, // which is turned off here
		`{"source":"simulated","window":"","reason":"schedule"}`,
		`{"source":"ecb","window":"2026-04-01","reason":"x"}`, `{"source":"ecb","window":"2026-04-13/2026-04-01","reason":"x"}`,
		`{"source":"ecb","window":"2026-04-31/2026-05-01","reason":"x"}`, `{"source":"ecb","window":"/","reason":"x"}`,
		`{"source":"ecb","window":"2026-04-01/2026-04-13/2026-04-14","reason":"x"}`, `{"source":"ecb","window":7,"reason":"x"}`,
		`{"source":"ecb","windows":"2026-04-01/2026-04-13","reason":"x"}`, `{"source":["ecb"],"window":"","reason":"x"}`,
	} {
		r := f.Invoke(lambdatest.Event{Body: event})
		if !r.Failed || r.Ended || r.ErrorType == "" {
			t.Errorf("%s: %s %s", event, r.ErrorType, r.Body)
		}
		if said := read(t, r); len(said.metrics) > 0 {
			t.Errorf("%s: there are metrics: %v", event, said.metrics)
		}
	}
	if after := strings.Join(b.dump(), "\n"); after != before {
		t.Errorf("the store has %d bytes, had %d", len(after), len(before))
	}
	expect(t, "asked", b.feed.took(), "")
	if objects, receipts := b.keys(); len(objects)+len(receipts) > 0 {
		t.Errorf("the archive has %v %v", objects, receipts)
	}
	expect(t, "then", run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")})).Outcome, market.OK)
	b.whole()
}

// soon are deadlines that are near, the next for where the machine is too busy for the one
// before.
var soon = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}

// TestDeadline: what is loaded before the deadline stays, and the next run does the rest.
func TestDeadline(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	f := b.function()
	f.Begin()
	b.feed.hold("hist")
	for i, timeout := range soon {
		r := f.Invoke(lambdatest.Event{Body: scheduled("ecb"), Timeout: timeout})
		a := run(t, r)
		t.Logf("answered %s before a deadline of %s", r.Left, timeout)
		expect(t, "outcome", a.Outcome, market.Interrupted)
		expect(t, "complete", a.Complete, false)
		record := b.runs()[0]
		expect(t, "record", record.Outcome, market.Interrupted)
		expect(t, "inserted by the record", record.Inserted, a.Inserted)
		for _, m := range read(t, r).metrics {
			expect(t, "metrics", m.names(), "duration")
		}
		b.check()
		if a.Inserted > 0 || i == len(soon)-1 {
			expect(t, "inserted", a.Inserted, currencies) // of the newest day
			break
		}
	}
	b.feed.let()
	a := run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")}))
	expect(t, "then", a.Outcome, market.OK)
	expect(t, "then complete", a.Complete, true)
	b.whole()
}

// TestNoTime: where there is hardly any time, what can be done in it is to say so.
func TestNoTime(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	f := b.function()
	f.Begin()
	b.feed.hold("daily")
	for i, timeout := range soon {
		r := f.Invoke(lambdatest.Event{Body: scheduled("ecb"), Timeout: timeout / 4})
		if r.ErrorType != "Sandbox.Timedout" {
			break
		}
		if i == len(soon)-1 {
			t.Errorf("it missed a deadline of %s", timeout/4)
		}
	}
	b.feed.let()
	expect(t, "then", run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")})).Outcome, market.OK)
	b.whole()
}

// panicking is the function with a bug: the ECB's source panics while there is a file
// called panic in the working folder. The product has no such thing, the compiler is told of it.
func panicking(t *testing.T) string {
	t.Helper()
	const file = "../../internal/source/ecb/ecb.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	signature := regexp.MustCompile(`(?m)^func \(s \*Source\) Next\(.*\{\n`)
	at := signature.FindIndex(source)
	if at == nil {
		t.Fatalf("%s has no Next", file)
	}
	text := string(source[:at[1]]) + "\tif _, err := os.Stat(\"panic\"); err == nil {\n\t\tpanic(\"a bug\")\n\t}\n" + string(source[at[1]:])
	text = strings.Replace(text, "import (\n", "import (\n\t\"os\"\n", 1)
	dir := t.TempDir()
	original, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: filepath.Join(dir, "ecb.go")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"ecb.go": text, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := build("panicking", ".", "-overlay", filepath.Join(dir, "overlay.json"))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// TestPanic: a bug is reported, the process ends, and a new one goes on.
func TestPanic(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	f := b.functionOf(panicking(t))
	bug := filepath.Join(f.Dir(), "panic")
	if err := os.WriteFile(bug, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a new process each time
		r := f.Invoke(lambdatest.Event{Body: scheduled("ecb")})
		if !r.Failed || !r.Ended || !strings.Contains(string(r.Body), "a bug") {
			t.Errorf("%+v", r)
		}
		read(t, r)
	}
	if err := os.Remove(bug); err != nil {
		t.Fatal(err)
	}
	expect(t, "then", run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")})).Outcome, market.OK)
	for i, want := range []market.Outcome{market.OK, market.Interrupted, market.Interrupted} {
		if runs := b.runs(); len(runs) != 3 || runs[i].Outcome != want {
			t.Errorf("record %d: %+v", i, runs)
		}
	}
	b.whole()
}

// TestToldToEnd sends SIGTERM while the function waits for an event, and in the middle of
// a run. It has half a second then.
func TestToldToEnd(t *testing.T) {
	t.Parallel()
	b := newBedWith(t, 1, nil)
	f := b.function()
	first := f.Send(lambdatest.Event{Body: scheduled("ecb")})
	expect(t, "first", run(t, first.Wait()).Outcome, market.OK)
	took, orderly, status, lines := f.Shutdown()
	if !orderly || status != 0 {
		t.Errorf("while it waits: orderly %v, status %d\n%s", orderly, status, strings.Join(lines, "\n"))
	}
	t.Logf("it ended %s after SIGTERM while it waited", took)
	read(t, lambdatest.Result{Lines: lines})

	day := b.feed.Publish()
	at := b.feed.hold("daily")
	pending := f.Send(lambdatest.Event{Body: scheduled("ecb")})
	<-at
	took, orderly, status, lines = f.Shutdown()
	if !orderly || status != 0 {
		t.Errorf("in a run: orderly %v, status %d\n%s", orderly, status, strings.Join(lines, "\n"))
	}
	t.Logf("it ended %s after SIGTERM in a run", took)
	read(t, lambdatest.Result{Lines: lines, RequestID: pending.Wait().RequestID})
	expect(t, "record", b.runs()[0].Outcome, market.Interrupted)
	b.feed.let()
	a := run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")}))
	expect(t, "then", a.Outcome, market.OK)
	expect(t, "inserted of "+day.String(), a.Inserted, currencies)
	b.whole()
}

var liveHeap = regexp.MustCompile(`^gc \d+ @.* \d+->\d+->(\d+) MB,`)

// TestHundred invokes the function a hundred times. Its memory after that is what it was
// after ten.
func TestHundred(t *testing.T) {
	t.Parallel()
	b := newBed(t, map[string]string{"GODEBUG": "gctrace=1"})
	f := b.function()
	var resident, heap [2]int
	began := time.Now()
	for n := 1; n <= 100; n++ {
		r := f.Invoke(lambdatest.Event{Body: scheduled("ecb")})
		a := run(t, r)
		if a.Outcome != market.OK {
			t.Fatalf("run %d: %+v", n, a)
		}
		if n == 10 || n == 100 {
			resident[n/100] = f.Memory("VmRSS")
			heap[n/100] = lastHeap(t, f.Log())
		}
	}
	t.Logf("100 invocations in %s; resident after 10: %d KiB, after 100: %d KiB; live heap %d MB, %d MB",
		time.Since(began).Round(time.Millisecond), resident[0], resident[1], heap[0], heap[1])
	if resident[1] > resident[0]+8<<10 {
		t.Errorf("resident memory has grown from %d to %d KiB", resident[0], resident[1])
	}
	if heap[1] > heap[0]+1 {
		t.Errorf("the live heap has grown from %d to %d MB", heap[0], heap[1])
	}
	expect(t, "runs", len(b.runs()), 100)
	b.whole()
}

// lastHeap is the live heap after the last collection, in MB.
func lastHeap(t *testing.T, log []string) int {
	t.Helper()
	for i := len(log) - 1; i >= 0; i-- {
		if m := liveHeap.FindStringSubmatch(log[i]); m != nil {
			mb, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			return mb
		}
	}
	t.Fatal("the log tells of no collection")
	return 0
}

// cronJob is a run of the CronJob in the bed.
func cronJob(t *testing.T, b *bed) *exec.Cmd {
	t.Helper()
	program, err := cron()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-source", "ecb")
	cmd.Env = os.Environ()
	for name, value := range b.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// TestConnectionsLost ends the function's connections while it stands still, as a failover
// or an idle timeout does. The next invocation does not notice.
func TestConnectionsLost(t *testing.T) {
	t.Parallel()
	b := newBedWith(t, 2, nil)
	f := b.function()
	expect(t, "first", run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")})).Outcome, market.OK)
	for range 2 {
		b.feed.Publish()
		if n := b.terminate(); n == 0 {
			t.Error("there was no connection to end")
		}
		<-time.After(1100 * time.Millisecond) // a pool trusts what it used a second ago
		a := run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")}))
		expect(t, "then", a.Outcome, market.OK)
		expect(t, "inserted", a.Inserted, currencies)
	}
	b.whole()
}
