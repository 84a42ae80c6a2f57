// Package balancer sends requests to the replicas of a service, and asks another one at
// once where a read fails.
//
// A name with several addresses stands for several replicas. A balancer in front of them learns late that one is gone: until then a share
// of the requests fails. Here a replica that does not answer is passed over for a while,
// and a request that only reads is sent to the next.
package balancer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// attempts is how many replicas are asked for one read.
	attempts = 3
	// lookupEvery is how long the addresses of a name are believed.
	lookupEvery = time.Second
	// passOver is how long a replica that failed is asked only when all have failed.
	passOver = 5 * time.Second
	// maxKept is how much of an answer is received before it is passed on, so that one
	// that breaks off can be asked for again.
	maxKept = 1 << 20
	// A retry costs what so many requests earn, and so many can be saved up: when all
	// replicas are failing, retries add a fifth to their load and not two thirds.
	requestsPerRetry = 5
	savedRetries     = 100
)

// Transport is an [http.RoundTripper] over the replicas behind the host of a URL.
type Transport struct {
	// Base sends to one replica; nil: one that gives up connecting after half a second,
	// or after five where no other may be asked.
	Base http.RoundTripper
	// Patience is how long a replica may take until its answer begins before a read is
	// sent to another; zero: a second. The last one that is asked may take as long as the
	// request has.
	Patience time.Duration
	// Lookup returns the addresses of a host; nil: those that DNS gives.
	Lookup func(ctx context.Context, host string) ([]string, error)

	mu       sync.Mutex
	services map[string]*service // by host
	budget   int                 // of retries, in requests
}

// service is the replicas of a host.
type service struct {
	addresses []string
	asked     time.Time // when they were looked up
	next      int
	failed    map[string]time.Time
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
		return t.base(false).RoundTrip(r)
	}
	reads := (r.Method == http.MethodGet || r.Method == http.MethodHead) && (r.Body == nil || r.Body == http.NoBody)
	var tried []string
	for {
		address, err := t.pick(r.Context(), r.URL.Host, tried)
		if err != nil {
			return nil, err
		}
		tried = append(tried, address)
		again := reads && len(tried) < attempts
		resp, paid, err := t.send(r, address, again)
		if err == nil || r.Context().Err() != nil {
			return resp, err
		}
		t.fail(r.URL.Host, address)
		if !again || !paid && !t.spend() {
			return nil, err
		}
	}
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

// pick returns a replica to ask, in turn: one that has not been tried, and rather one
// that has not failed lately.
func (t *Transport) pick(ctx context.Context, host string, tried []string) (string, error) {
	if err := t.lookUp(ctx, host); err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(tried) == 0 {
		t.budget = min(t.budget+1, requestsPerRetry*savedRetries)
	}
	s := t.services[host]
	s.next++
	best, rank := "", 0
	for i := range s.addresses {
		address := s.addresses[(s.next+i)%len(s.addresses)]
		r := 1
		if !slices.Contains(tried, address) {
			r += 2
		}
		if time.Since(s.failed[address]) > passOver {
			r++
		}
		if r > rank {
			best, rank = address, r
		}
	}
	return best, nil
}

// lookUp learns the addresses of a host, where those that are known are too old. It
// goes on with these where it fails.
func (t *Transport) lookUp(ctx context.Context, host string) error {
	t.mu.Lock()
	known := t.services[host]
	fresh := known != nil && time.Since(known.asked) < lookupEvery
	if known != nil {
		known.asked = time.Now() // the others do not wait
	}
	t.mu.Unlock()
	if fresh {
		return nil
	}
	lookup := t.Lookup
	if lookup == nil {
		lookup = net.DefaultResolver.LookupHost
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, "80"
	}
	found, err := lookup(ctx, name)
	if err == nil && len(found) == 0 {
		err = errors.New("no address")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.services[host]
	if err != nil {
		if s != nil {
			return nil
		}
		return fmt.Errorf("look up %s: %w", name, err)
	}
	if s == nil {
		s = &service{failed: map[string]time.Time{}}
		if t.services == nil {
			t.services, t.budget = map[string]*service{}, requestsPerRetry*savedRetries
		}
		t.services[host] = s
	}
	s.addresses, s.asked = s.addresses[:0:0], time.Now()
	for _, address := range found {
		s.addresses = append(s.addresses, net.JoinHostPort(address, port))
	}
	slices.Sort(s.addresses)
	for address := range s.failed {
		if !slices.Contains(s.addresses, address) {
			delete(s.failed, address)
		}
	}
	return nil
}

func (t *Transport) fail(host, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services[host].failed[address] = time.Now()
}

// spend reports whether there may be a retry.
func (t *Transport) spend() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.budget < requestsPerRetry {
		return false
	}
	t.budget -= requestsPerRetry
	return true
}
