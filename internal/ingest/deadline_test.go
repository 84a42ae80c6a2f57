package ingest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"bourse/internal/market"
	"bourse/internal/storetest"
)

// TestDeadline gives a run less time than its source takes. What it has loaded stays, the
// record says that the time was up, and the next run loads the rest.
func TestDeadline(t *testing.T) {
	f := newFeed(t)
	hang, asked := true, make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hang && r.URL.Path != "/eurofxref-daily.xml" {
			close(asked)
			<-r.Context().Done()
			return
		}
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b := newBench(t, t.TempDir(), server.URL)
	late := lateContext{t.Context(), make(chan struct{})}
	go func() {
		<-asked
		close(late.done)
	}()
	run, err := b.Run(late, b.source, "schedule")
	if err != nil {
		t.Fatal(err)
	}
	b.check(run)
	expect(t, "outcome", run.Outcome, market.Interrupted)
	expect(t, "error", run.Error, "the time was up; the next run goes on")
	if run.Inserted == 0 {
		t.Error("what came before the deadline was not loaded")
	}
	hang = false
	rest := b.update()
	expect(t, "outcome of the next run", rest.Outcome, market.OK)
	if rest.Inserted < 1000 {
		t.Errorf("the next run loaded %d bars", rest.Inserted)
	}
	storetest.Check(t.Context(), t, b.store)
}

// lateContext is a context whose deadline passes when done is closed.
type lateContext struct {
	context.Context
	done chan struct{}
}

func (c lateContext) Done() <-chan struct{} { return c.done }

func (c lateContext) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
