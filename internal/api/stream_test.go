package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestStreamTellsOfNewBars publishes a day while a client listens.
func TestStreamTellsOfNewBars(t *testing.T) {
	f := newFixture(t)
	listen := f.serveStream(t)
	events := listen("")
	day := f.upstream.Publish()
	f.now = f.now.Add(24 * time.Hour)
	f.run(t)
	event := events(t)
	want := fmt.Sprintf(`{"symbol":"EURUSD","interval":"1d","start":"%s","open":`, day)
	if event.name != "bars" || !strings.Contains(event.data, want) || !strings.Contains(event.data, `"source":"ecb"`) {
		t.Errorf("event %+v lacks %s", event, want)
	}
	// Who saw the one before gets this one when it comes back, and no other.
	before := event.id - 1
	if again := listen(fmt.Sprint(before))(t); again != event {
		t.Errorf("after %d came %+v, not %+v", before, again, event)
	}
}

type event struct {
	id         int64
	name, data string
}

// serveStream serves the API and returns what opens a stream there, from which each
// call takes an event.
func (f *fixture) serveStream(t *testing.T) func(last string) func(*testing.T) event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	var watching sync.WaitGroup
	watching.Go(func() { f.api.Watch(ctx) })
	server := httptest.NewServer(f.api)
	t.Cleanup(func() { cancel(); server.Close(); watching.Wait() })
	<-f.follows
	return func(last string) func(*testing.T) event {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Last-Event-ID", last)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		lines := bufio.NewScanner(resp.Body)
		if !lines.Scan() || lines.Text() != ": listening" {
			t.Fatalf("the stream begins with %q", lines.Text())
		}
		return func(t *testing.T) event { return nextEvent(t, lines) }
	}
}

func nextEvent(t *testing.T, lines *bufio.Scanner) event {
	t.Helper()
	var e event
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			if _, err := fmt.Sscan(value, &e.id); err != nil {
				t.Fatal(err)
			}
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return e
}
