package api

import (
	"fmt"
	"testing"
	"time"
)

func TestCache(t *testing.T) {
	var c cache
	p := &reply{body: make([]byte, 1000)}
	c.put(1, "a", p)
	if c.get(1, "a") != p {
		t.Error("it does not keep a reply")
	}
	if c.get(2, "a") != nil || c.get(1, "b") != nil {
		t.Error("it has a reply of another version or request")
	}
	c.put(2, "b", p)
	if c.get(1, "a") != nil || c.get(2, "a") != nil || c.get(2, "b") != p {
		t.Error("it keeps replies of an older version")
	}
	c.put(2, "large", &reply{body: make([]byte, maxCached)})
	if c.get(2, "large") != nil {
		t.Error("it keeps a reply that is too large")
	}
	for i := range 3 * maxCache / 100000 {
		c.put(2, fmt.Sprint(i), &reply{body: make([]byte, 50000)})
		if c.size > maxCache {
			t.Fatalf("it has %d bytes", c.size)
		}
	}
}

func TestLifetime(t *testing.T) {
	now := time.Date(2026, 4, 13, 12, 0, 0, 0, time.UTC)
	for want, l := range map[int]lifetime{
		0:     {},
		3600:  {length: time.Hour},
		90:    {until: now.Add(90 * time.Second)},
		-60:   {until: now.Add(-time.Minute)},
		86400: {until: now.AddDate(0, 0, 5)},
	} {
		if got := l.left(now); got != want {
			t.Errorf("%+v: %d s left, want %d", l, got, want)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.0": false, "gzip;q=0.5": true,
		"GZIP;q=1": true, "identity": false, "x-gzip": false, "gzip;q=0.000, br": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
