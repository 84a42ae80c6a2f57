package main_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"bourse/internal/lambdatest"
	"bourse/internal/market"
)

// TestTogether delivers an event three times, twice to Lambda at once and beside a CronJob:
// one runs, the others see that and do nothing. What is there then is what one run brings.
func TestTogether(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	one, other := b.function(), b.function()
	one.Begin()
	other.Begin()
	at := b.feed.hold("daily")
	first := one.Send(lambdatest.Event{Body: scheduled("ecb")})
	<-at // it has the lock
	second := run(t, other.Invoke(lambdatest.Event{Body: scheduled("ecb")}))
	expect(t, "the second delivery is skipped", second.Skipped, true)
	expect(t, "complete", second.Complete, false)
	job := cronJob(t, b)
	if out, err := job.CombinedOutput(); err == nil || !bytes.Contains(out, []byte(market.ErrLocked.Error())) {
		t.Errorf("the CronJob: %v\n%s", err, out)
	}
	b.feed.let()
	expect(t, "the first delivery", run(t, first.Wait()).Outcome, market.OK)
	third := run(t, other.Invoke(lambdatest.Event{Body: scheduled("ecb")}))
	expect(t, "the third delivery", third.Outcome, market.OK)
	expect(t, "what it wrote", third.Inserted+third.Revised+third.Rejected, 0)
	expect(t, "runs", len(b.runs()), 2)
	b.once()
}

// TestRace lets them all begin at the same time, over and over.
func TestRace(t *testing.T) {
	t.Parallel()
	b := newBed(t, nil)
	one, other := b.function(), b.function()
	one.Begin()
	other.Begin()
	ran, skipped := 0, 0
	for range 3 {
		var wg sync.WaitGroup
		job := cronJob(t, b)
		wg.Go(func() {
			if out, err := job.CombinedOutput(); err != nil && !bytes.Contains(out, []byte(market.ErrLocked.Error())) {
				t.Errorf("the CronJob: %v\n%s", err, out)
			}
		})
		pending := []*lambdatest.Invocation{one.Send(lambdatest.Event{Body: scheduled("ecb")}), other.Send(lambdatest.Event{Body: scheduled("ecb")})}
		for _, p := range pending {
			switch a := run(t, p.Wait()); {
			case a.Skipped:
				skipped++
			case a.Outcome == market.OK:
				ran++
			default:
				t.Errorf("%+v", a)
			}
		}
		wg.Wait()
		b.once()
	}
	t.Logf("of six deliveries to Lambda beside three of the CronJob %d ran and %d were skipped", ran, skipped)
	for _, r := range b.runs() {
		if r.Outcome != market.OK {
			t.Errorf("a run that was begun ended as %s: %s", r.Outcome, r.Error)
		}
	}
}

// once makes sure that the effect is that of one run: each value and each payload once.
func (b *bed) once() {
	b.t.Helper()
	b.whole()
	objects, _ := b.keys()
	if len(objects) > 3 { // the newest day, the window and the history
		b.t.Errorf("the archive has %v", objects)
	}
	status, err := b.store.Sources(b.t.Context())
	if err != nil || len(status) != 1 {
		b.t.Fatal(status, err)
	}
	expect(b.t, "rows", int(status[0].Bars), strings.Count(b.published(), "\n"))
	expect(b.t, "revisions", int(status[0].Revisions), 0)
}
