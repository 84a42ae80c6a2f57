package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	l := newLimiter(Limit{Rate: 2, Burst: 3})
	now := time.Now()
	for n, want := range []time.Duration{0, 0, 0, 500 * time.Millisecond, 500 * time.Millisecond} {
		if got := l.take("a", now); got != want {
			t.Errorf("request %d waits %s, want %s", n+1, got, want)
		}
	}
	if got := l.take("b", now); got != 0 {
		t.Errorf("another client waits %s", got)
	}
	now = now.Add(time.Second)
	for n, want := range []time.Duration{0, 0, 500 * time.Millisecond} {
		if got := l.take("a", now); got != want {
			t.Errorf("a second later request %d waits %s, want %s", n+1, got, want)
		}
	}
	if got := newLimiter(Limit{}).take("a", now); got != 0 {
		t.Errorf("without a limit it waits %s", got)
	}
	for n := range 2 * maxBuckets {
		l.take(fmt.Sprint(n), now)
		if len(l.buckets) > maxBuckets {
			t.Fatalf("%d buckets", len(l.buckets))
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		forwarded []string
		proxies   int
		want      string
	}{
		{nil, 0, "192.0.2.1"},
		{[]string{"10.0.0.1"}, 0, "192.0.2.1"},
		{[]string{"198.51.100.7"}, 1, "198.51.100.7"},
		{[]string{"6.6.6.6, 198.51.100.7"}, 1, "198.51.100.7"},
		{[]string{"6.6.6.6", "198.51.100.7, 10.0.0.1"}, 2, "198.51.100.7"},
		{[]string{"198.51.100.7"}, 2, "192.0.2.1"},
		{nil, 1, "192.0.2.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["X-Forwarded-For"] = c.forwarded
		if got := address(r, c.proxies); got != c.want {
			t.Errorf("%q behind %d: %s, want %s", c.forwarded, c.proxies, got, c.want)
		}
	}
}
