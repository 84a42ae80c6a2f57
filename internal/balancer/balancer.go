// Package balancer sends requests to the replicas of a service, and asks another one at
// once where a read fails.
//
// What balances connections, as a Service of Kubernetes does, learns late that a replica
// is gone: until then a share of the requests fails. Here the replicas are asked by
// address. One that does not answer is passed over for a while, and a request that only
// reads is sent to the next. DNS is late too, about replicas that are new: so the service
// itself is the last that is asked.
package balancer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bourse/internal/telemetry"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	// attempts is how often one read is sent: the last time to the service.
	attempts = 4
	// lookupEvery is how long the addresses of the replicas are believed.
	lookupEvery   = time.Second
	lookupTimeout = 3 * time.Second
	// passOver is how long a replica that failed is asked only when all have failed.
	passOver = 5 * time.Second
	// maxKept is how much of an answer is received before it is passed on, so that one
	// that breaks off can be asked for again.
	maxKept = 1 << 20
	// A retry costs what so many requests earn, and so many can be saved up: when all
	// replicas are failing, retries add a fifth to their load and do not multiply it.
	requestsPerRetry = 5
	savedRetries     = 100
)

// Transport is an [http.RoundTripper] to a service, which is the host of a URL, and to
// its replicas.
type Transport struct {
	// Replicas is a host and port whose addresses are those of the replicas, as a headless
	// Service of Kubernetes; "": only the service is asked.
	Replicas string
	// Base sends to one of them; nil: one that gives up connecting after half a second,
	// or after five where no other may be asked.
	Base http.RoundTripper
	// Patience is how long one may take until its answer begins before a read is sent to
	// another; zero: a second. The last one that is asked may take as long as the request
	// has.
	Patience time.Duration
	// Lookup returns the addresses of a host; nil: those that DNS gives.
	Lookup func(ctx context.Context, host string) ([]string, error)

	mu       sync.Mutex
	replicas []string             // their addresses
	failed   map[string]time.Time // and when they did
	asked    time.Time            // when the addresses were looked up
	next     int
	spent    int // of what retries may cost, in requests
}

// hasty is for replicas after which another may be asked, patient for the last: a new pod
// may have to wait until network policies let its packets through.
var hasty, patient = connecting(500 * time.Millisecond), connecting(5 * time.Second)

func connecting(within time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: within}).DialContext,
		MaxIdleConnsPerHost: 100,
		IdleConnTimeout:     30 * time.Second,
	}
}

// RoundTrip sends a request to a replica, and a read to others where that fails.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" { // a certificate is of a name, not of an address
		resp, _, err := t.attempt(r, r.URL.Host, false, 1)
		return resp, err
	}
	reads := (r.Method == http.MethodGet || r.Method == http.MethodHead) && (r.Body == nil || r.Body == http.NoBody)
	t.earn()
	t.lookUp(r.Context())
	for attempt := 1; ; attempt++ {
		again := reads && attempt < attempts
		address := r.URL.Host
		if again || attempt == 1 {
			address = t.pick(address)
		}
		resp, paid, err := t.attempt(r, address, again, attempt)
		if err == nil || r.Context().Err() != nil {
			return resp, err
		}
		t.fail(address)
		if !again || !paid && !t.spend() {
			return nil, err
		}
	}
}

// attempt asks one replica within a span of its own, which the replica's continues.
func (t *Transport) attempt(r *http.Request, address string, again bool, n int) (*http.Response, bool, error) {
	parent := trace.SpanFromContext(r.Context())
	ctx, span := parent.TracerProvider().Tracer("bourse/balancer").Start(r.Context(), telemetry.Method(r), trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	if span.IsRecording() {
		host, port, _ := net.SplitHostPort(address)
		number, _ := strconv.Atoi(port)
		span.SetAttributes(semconv.HTTPRequestMethodKey.String(telemetry.Method(r)), semconv.ServerAddress(host), semconv.ServerPort(number),
			semconv.URLFull((&url.URL{Scheme: r.URL.Scheme, Host: address, Path: r.URL.Path}).String())) // a query may have anything in it
		if n > 1 {
			span.SetAttributes(semconv.HTTPRequestResendCount(n - 1))
		}
	}
	resp, paid, err := t.send(r.WithContext(ctx), address, again)
	if err != nil {
		span.SetAttributes(semconv.ErrorTypeKey.String("_OTHER"))
		span.SetStatus(codes.Error, "")
		return nil, paid, err
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return resp, paid, nil
}

// base is what sends to one replica, after which another may be asked or not.
func (t *Transport) base(again bool) http.RoundTripper {
	switch {
	case t.Base != nil:
		return t.Base
	case again:
		return hasty
	}
	return patient
}

// send asks one replica. Where another may be asked after it, it gives up when that one
// takes too long, having paid for the retry, and it receives the answer before it returns.
func (t *Transport) send(r *http.Request, address string, again bool) (resp *http.Response, paid bool, err error) {
	ctx, cancel := context.WithCancel(r.Context())
	out := r.Clone(ctx)
	out.URL.Host = address
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(out.Header))
	if out.Host == "" {
		out.Host = r.URL.Host
	}
	patience := t.Patience
	if patience == 0 {
		patience = time.Second
	}
	decided := make(chan bool, 1)
	impatient := time.AfterFunc(patience, func() {
		giveUp := again && t.spend()
		if giveUp {
			cancel()
		}
		decided <- giveUp
	})
	resp, err = t.base(again).RoundTrip(out)
	if !impatient.Stop() {
		if paid = <-decided; paid && err == nil {
			err = errors.Join(errors.New("no answer in time"), resp.Body.Close())
		}
	}
	if err != nil {
		cancel()
		return nil, paid, fmt.Errorf("%s: %w", address, err)
	}
	rest := resp.Body
	if again && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		kept, err := io.ReadAll(io.LimitReader(rest, maxKept))
		if err != nil {
			cancel()
			return nil, false, fmt.Errorf("%s: %w", address, errors.Join(err, rest.Close()))
		}
		resp.Body = body{io.MultiReader(bytes.NewReader(kept), rest), rest, cancel}
		return resp, false, nil
	}
	resp.Body = body{rest, rest, cancel}
	return resp, false, nil
}

// body is the body of an answer, at whose end its context ends.
type body struct {
	io.Reader
	io.Closer
	cancel context.CancelFunc
}

func (b body) Close() error {
	defer b.cancel()
	return b.Closer.Close()
}

// pick returns whom to ask: a replica, in turn, that has not failed lately, or else the
// service.
func (t *Transport) pick(service string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	for i := range t.replicas {
		address := t.replicas[(t.next+i)%len(t.replicas)]
		if time.Since(t.failed[address]) > passOver {
			return address
		}
	}
	return service
}

// lookUp learns the addresses of the replicas again where they are too old. Requests wait
// for the first ones only, and where there are none they are as before.
func (t *Transport) lookUp(ctx context.Context) {
	t.mu.Lock()
	first, fresh := t.asked.IsZero(), time.Since(t.asked) < lookupEvery
	if !fresh {
		t.asked = time.Now() // the others do not wait
	}
	t.mu.Unlock()
	name, port, err := net.SplitHostPort(t.Replicas)
	if fresh || err != nil {
		return
	}
	learn := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		lookup := t.Lookup
		if lookup == nil {
			lookup = net.DefaultResolver.LookupHost
		}
		if found, err := lookup(ctx, name); err == nil {
			t.know(found, port)
		}
	}
	if first {
		learn()
	} else {
		go learn()
	}
}

// know takes over what a lookup has found.
func (t *Transport) know(hosts []string, port string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replicas = t.replicas[:0:0]
	for _, host := range hosts {
		t.replicas = append(t.replicas, net.JoinHostPort(host, port))
	}
	slices.Sort(t.replicas)
	maps.DeleteFunc(t.failed, func(address string, _ time.Time) bool { return !slices.Contains(t.replicas, address) })
}

func (t *Transport) fail(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = map[string]time.Time{}
	}
	t.failed[address] = time.Now()
}

// earn is for a request what spend is for a retry.
func (t *Transport) earn() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spent = max(0, t.spent-1)
}

// spend reports whether there may be a retry.
func (t *Transport) spend() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spent+requestsPerRetry > requestsPerRetry*savedRetries {
		return false
	}
	t.spent += requestsPerRetry
	return true
}
