package balancer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// replica is a server on an address of its own, whose port it shares with others.
type replica struct {
	*httptest.Server
	asked atomic.Int64
	does  atomic.Pointer[http.HandlerFunc] // nil: it answers
}

func (r *replica) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.asked.Add(1)
	if does := r.does.Load(); does != nil {
		(*does)(w, req)
		return
	}
	fmt.Fprint(w, strings.Repeat("x", 10000))
}

// replicas are three of them and a client. The URL is that of their service, which
// balances connections to nobody: at its address the first of them listens too.
func replicas(t *testing.T) ([]*replica, *http.Client, string) {
	t.Helper()
	list, transport, port := three(t)
	return list, &http.Client{Transport: transport, Timeout: 10 * time.Second}, "http://" + net.JoinHostPort("127.0.0.1", port)
}

func three(t *testing.T) (list []*replica, transport *Transport, port string) {
	t.Helper()
	port = "0"
	for _, ip := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(ip, port))
		if err != nil {
			t.Skipf("there are no three addresses here: %v", err)
		}
		_, port, _ = net.SplitHostPort(listener.Addr().String())
		r := &replica{}
		r.Server = httptest.NewUnstartedServer(r)
		r.Listener = listener
		r.Start()
		t.Cleanup(r.Close)
		list = append(list, r)
	}
	return list, &Transport{
		Replicas: net.JoinHostPort("replicas", port),
		Base:     &http.Transport{DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}, Patience: 200 * time.Millisecond,
		Lookup: func(_ context.Context, host string) ([]string, error) {
			if host != "replicas" {
				return nil, fmt.Errorf("there is no %s", host)
			}
			return []string{"127.0.0.3", "127.0.0.1", "127.0.0.2"}, nil
		},
	}, port
}

// read asks once and returns what is wrong with the answer.
func read(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || len(body) != 10000) {
		err = fmt.Errorf("%s, %d bytes", resp.Status, len(body))
	}
	return err
}

// TestFailures lets one replica of three fail in each way while many read: none fails.
func TestFailures(t *testing.T) {
	for name, does := range map[string]http.HandlerFunc{
		"it hangs":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"it resets": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"its answer breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000")
			fmt.Fprint(w, strings.Repeat("x", 5000))
			panic(http.ErrAbortHandler)
		},
		"its listener is closed": nil,
	} {
		t.Run(name, func(t *testing.T) {
			list, client, url := replicas(t)
			var running sync.WaitGroup
			begun := make(chan struct{}, 1000)
			for range 8 {
				running.Go(func() {
					for range 60 {
						if err := read(client, url); err != nil {
							t.Error(err)
						}
						begun <- struct{}{}
					}
				})
			}
			for range 40 {
				<-begun
			}
			before := list[1].asked.Load()
			if does != nil {
				list[1].does.Store(&does)
			} else {
				list[1].CloseClientConnections()
				list[1].Listener.Close()
			}
			running.Wait()
			if others := list[0].asked.Load() + list[2].asked.Load(); others < 300 {
				t.Errorf("the others were asked %d times", others)
			}
			// Each client may have been on its way to it, once; Go asks twice over a kept connection.
			if again := list[1].asked.Load() - before; again > 2*8 {
				t.Errorf("the one that failed was asked %d times more", again)
			}
		})
	}
}

// TestTurns makes sure that replicas are asked in turn.
func TestTurns(t *testing.T) {
	list, client, url := replicas(t)
	for range 30 {
		if err := read(client, url); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range list {
		if n := r.asked.Load(); n != 10 {
			t.Errorf("replica %d was asked %d times", i, n)
		}
	}
}

// TestWritesAreSentOnce makes sure that what may change something is not repeated.
func TestWritesAreSentOnce(t *testing.T) {
	list, client, url := replicas(t)
	var abort http.HandlerFunc = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, r := range list {
		r.does.Store(&abort)
	}
	if resp, err := client.Post(url, "text/plain", strings.NewReader("once")); err == nil {
		resp.Body.Close()
		t.Error("it was answered")
	}
	if n := list[0].asked.Load() + list[1].asked.Load() + list[2].asked.Load(); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

// TestStreamsPass makes sure that an event stream is passed on as it comes.
func TestStreamsPass(t *testing.T) {
	list, client, url := replicas(t)
	proceed := make(chan struct{})
	var stream http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-proceed
		fmt.Fprint(w, "data: 2\n\n")
	}
	for _, r := range list {
		r.does.Store(&stream)
	}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 9)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "data: 1\n\n" {
		t.Fatalf("%q, %v", first, err)
	}
	close(proceed)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "data: 2\n\n" {
		t.Errorf("%q, %v", rest, err)
	}
}

// TestRetriesAreFew makes sure that an outage of all is not made worse.
func TestRetriesAreFew(t *testing.T) {
	list, client, url := replicas(t)
	var abort http.HandlerFunc = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, r := range list {
		r.does.Store(&abort)
	}
	const requests = 1000
	for range requests {
		if err := read(client, url); err == nil {
			t.Fatal("it was answered")
		}
	}
	sent := list[0].asked.Load() + list[1].asked.Load() + list[2].asked.Load()
	// Go's transport repeats a read of its own where a kept connection was closed.
	if most := int64(requests + savedRetries + requests/requestsPerRetry); sent > most {
		t.Errorf("%d requests were sent for %d, want at most %d", sent, requests, most)
	}
}

// TestSlowIsNotFailed makes sure that replicas which are all slow still answer.
func TestSlowIsNotFailed(t *testing.T) {
	list, client, url := replicas(t)
	var slow http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) {
		<-time.After(500 * time.Millisecond) // more than the client is patient
		fmt.Fprint(w, strings.Repeat("x", 10000))
	}
	for _, r := range list {
		r.does.Store(&slow)
	}
	if err := read(client, url); err != nil {
		t.Error(err)
	}
}

// TestServiceIsLast makes sure that the service answers where all replicas that are known
// are gone, where none is known, and where there is nobody to ask for them.
func TestServiceIsLast(t *testing.T) {
	for name, known := range map[string][]string{
		"gone": {"127.0.0.2", "127.0.0.3"}, "many are gone": {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6"},
		"none": {}, "nobody to ask": nil,
	} {
		t.Run(name, func(t *testing.T) {
			list, transport, port := three(t)
			list[1].Close()
			list[2].Close()
			transport.Lookup = func(context.Context, string) ([]string, error) {
				if known == nil {
					return nil, errors.New("no answer")
				}
				return known, nil
			}
			client := &http.Client{Transport: transport}
			for range 50 {
				if err := read(client, "http://"+net.JoinHostPort("127.0.0.1", port)); err != nil {
					t.Fatal(err)
				}
			}
			if n := list[0].asked.Load(); n != 50 {
				t.Errorf("the service was asked %d times", n)
			}
		})
	}
}

// TestFailedLookup makes sure that replicas stay known where DNS fails.
func TestFailedLookup(t *testing.T) {
	list, transport, port := three(t)
	client, url := &http.Client{Transport: transport}, "http://"+net.JoinHostPort("127.0.0.1", port)
	if err := read(client, url); err != nil {
		t.Fatal(err)
	}
	looked := make(chan struct{})
	transport.mu.Lock()
	transport.asked = time.Now().Add(-time.Hour)
	transport.Lookup = func(context.Context, string) ([]string, error) {
		defer close(looked)
		return nil, errors.New("no answer")
	}
	transport.mu.Unlock()
	if err := read(client, url); err != nil {
		t.Fatal(err)
	}
	<-looked
	for list[2].asked.Load() < 2 {
		if err := read(client, url); err != nil {
			t.Fatal(err)
		}
		if list[0].asked.Load() > 100 {
			t.Fatal("only the service is asked")
		}
	}
}

// TestLookupsAreNotWaitedFor makes sure that requests go on while DNS does not answer.
func TestLookupsAreNotWaitedFor(t *testing.T) {
	_, transport, port := three(t)
	looked, again := make(chan struct{}, 1), false
	transport.Lookup = func(ctx context.Context, _ string) ([]string, error) {
		if !again {
			again = true
			return []string{"127.0.0.2"}, nil
		}
		select {
		case looked <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client := &http.Client{Transport: transport}
	for asked := false; !asked; {
		began := time.Now()
		if err := read(client, "http://"+net.JoinHostPort("127.0.0.1", port)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > lookupTimeout/2 {
			t.Fatalf("a request took %s", took)
		}
		select {
		case <-looked:
			asked = true
		default:
		}
	}
	if err := read(client, "http://"+net.JoinHostPort("127.0.0.1", port)); err != nil {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestAttemptsAreTraced: each attempt is a span of its own, and the replica that it reaches
// continues that one.
func TestAttemptsAreTraced(t *testing.T) {
	var carried []string
	replica := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		carried = append(carried, r.Header.Get("Traceparent"))
	}))
	defer replica.Close()
	up := strings.TrimPrefix(replica.URL, "http://")
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	transport := &Transport{Replicas: "pods:1", Base: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "192.0.2.1:1" {
			return nil, errors.New("refused: hunter2")
		}
		r.URL.Host = up
		return http.DefaultTransport.RoundTrip(r)
	}), Lookup: func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil }}
	ctx, page := provider.Tracer("").Start(t.Context(), "a page")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://service:80/api/v1/x?key=hunter2", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var got []string
	for _, s := range spans.Ended() {
		text := fmt.Sprint(s.Attributes(), s.Status(), s.Events())
		if strings.Contains(text, "hunter2") || s.Parent().SpanID() != page.SpanContext().SpanID() || s.SpanKind() != trace.SpanKindClient {
			t.Errorf("%s below %s: %s", s.SpanKind(), s.Parent().SpanID(), text)
		}
		got = append(got, fmt.Sprint(s.Name(), " ", s.Status().Code))
	}
	if fmt.Sprint(got) != "[GET Error GET Unset]" {
		t.Errorf("got %v", got)
	}
	if last := spans.Ended()[1].SpanContext(); len(carried) != 1 || carried[0] != fmt.Sprintf("00-%s-%s-01", last.TraceID(), last.SpanID()) {
		t.Errorf("the replica was told of %v", carried)
	}
}
