package alerts

import (
	"flag"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/postgres/pgtest"
)

var update = flag.Bool("update", false, "write docs/alerts.md, and the recording for promtool")

// drill keeps what came of each fault.
type drill struct {
	t       *testing.T
	told    *receiver
	mu      sync.Mutex
	results []result
	over    sync.WaitGroup // all alerts that faults raised
}

type result struct {
	order             int
	fault             string
	alert             *alert
	noticed, resolved time.Duration
}

// fault is what is broken.
type fault struct {
	order      int // of the row in the table
	what       string
	namespace  string
	alert      string
	source     string // where the alert has one
	severity   string // where more than one could be
	within     time.Duration
	begin, end func()
	slow       bool // what it raised looks back on hours: others need not wait for its end
}

// noticeable breaks something, waits until the receiver is told, mends it, and waits until
// the receiver is told of that.
func (d *drill) noticeable(f fault) {
	is := func(a *alert) bool {
		l := a.Labels
		return l["alertname"] == f.alert && l["namespace"] == f.namespace && (f.source == "" || l["source"] == f.source) && (f.severity == "" || l["severity"] == f.severity)
	}
	await(d.t, time.Minute, f.what+": "+f.alert+" of the fault before is over", func() bool {
		return d.told.since(time.Time{}, func(a *alert) bool { return is(a) && a.resolved.IsZero() }) == nil
	})
	began := time.Now()
	f.begin()
	var a *alert
	await(d.t, f.within, f.what+": "+f.alert+" is told", func() bool {
		a = d.told.since(began, is)
		return a != nil
	})
	f.end()
	ended := time.Now()
	if a == nil {
		return
	}
	d.t.Logf("%s: %s after %s", f.what, f.alert, a.fired.Sub(began).Round(100*time.Millisecond))
	wait := func() {
		if !await(d.t, 10*time.Minute, f.what+": "+f.alert+" is over", func() bool { _, done := d.told.done(a); return done }) {
			return
		}
		resolved, _ := d.told.done(a)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.results = append(d.results, result{f.order, f.what, a, a.fired.Sub(began), max(0, resolved.Sub(ended))})
	}
	if f.slow {
		d.over.Go(wait)
	} else {
		wait()
	}
}

// TestFaults breaks what can break, and finds each in what Alertmanager tells its receiver.
func TestFaults(t *testing.T) {
	bin, alertmanager := needs(t)
	t.Parallel()
	server := pgtest.New(t, "fsync=off")
	told, at := receive(t, alertmanager)
	d := &drill{t: t, told: told}

	sources := newParts(t, bin, server)
	serving := newSystem(t, bin, server)
	rules := ruleFiles(t)
	for name, text := range rules {
		rules[name] = scaled(text)
	}
	watch(t, rules, "1s", at,
		[3]string{"drill-api-pods", "sources", sources.admin[0]}, [3]string{"drill-api-pods", "sources", sources.admin[1]},
		[3]string{"drill-web-pods", "sources", sources.admin[2]}, [3]string{"drill-api-pods", "serving", serving.admin})

	var tracks sync.WaitGroup
	for _, track := range []func(*drill){sources.ecb, sources.coinbase, sources.alphavantage, sources.replicas, serving.faults} {
		tracks.Go(func() { track(d) })
	}
	tracks.Wait()
	d.over.Wait()
	await(t, 10*time.Minute, "all alerts are over", func() bool { return len(told.firing()) == 0 })
	if left := told.firing(); len(left) > 0 {
		t.Errorf("still firing: %s", strings.Join(left, "\n"))
	}
	slices.SortFunc(d.results, func(a, b result) int { return a.order - b.order })
	page := d.page()
	t.Log("\n" + page)
	if *update && !t.Failed() {
		writePage(t, page)
	}
}
