package api

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limit bounds how often a key, or an address without one, may ask: a token bucket.
type Limit struct {
	Rate  float64 // requests a second in the long run; zero: no limit
	Burst float64 // requests at once
}

// maxBuckets bounds the memory for clients; a bucket that is full is forgotten, since
// a new one is full too.
const maxBuckets = 1 << 16

// limiter has a bucket for each client.
type limiter struct {
	limit   Limit
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(l Limit) *limiter { return &limiter{limit: l, buckets: map[string]bucket{}} }

// take takes a token of a client. Where there is none it returns how long it takes
// until there is one.
func (l *limiter) take(client string, now time.Time) (wait time.Duration) {
	if l.limit.Rate == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	tokens := l.tokens(client, now)
	if tokens < 1 {
		return time.Duration((1 - tokens) / l.limit.Rate * float64(time.Second))
	}
	if len(l.buckets) >= maxBuckets {
		l.forget(now)
	}
	l.buckets[client] = bucket{tokens - 1, now}
	return 0
}

func (l *limiter) tokens(client string, now time.Time) float64 {
	b, ok := l.buckets[client]
	if !ok {
		return l.limit.Burst
	}
	return min(l.limit.Burst, b.tokens+now.Sub(b.at).Seconds()*l.limit.Rate)
}

// forget drops the buckets that are full, and all of them where none is: so many
// clients at once are not many clients.
func (l *limiter) forget(now time.Time) {
	for client := range l.buckets {
		if l.tokens(client, now) >= l.limit.Burst {
			delete(l.buckets, client)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// address returns the address of a client behind a number of proxies of our own, each
// of which has added to X-Forwarded-For what it saw. What a client itself wrote there
// stands before that and is not believed.
func address(r *http.Request, proxies int) string {
	if proxies > 0 {
		seen := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if n := len(seen) - proxies; n >= 0 && seen[n] != "" {
			return strings.TrimSpace(seen[n])
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
