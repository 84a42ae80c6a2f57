package drills

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// balanced puts a balancer before the pods of the dashboard, as a load balancer of AWS with
// targets by address does it: each is asked for its readiness every two seconds, and is out
// after two failures. It returns the balancer's URL.
func (c *cluster) balanced(t *testing.T) string {
	t.Helper()
	var mu sync.Mutex
	healthy, failures, next := []string{}, map[string]int{}, 0
	check := func(ctx context.Context) {
		ips, err := c.kubectl(ctx, "-n", namespace, "get", "endpointslices", "-l", "kubernetes.io/service-name="+release+"-web",
			"-o", "jsonpath={range .items[*].endpoints[?(@.conditions.serving==true)]}{.addresses[0]} {end}")
		if err != nil {
			return
		}
		var wait sync.WaitGroup
		for ip := range strings.FieldsSeq(ips) {
			wait.Go(func() {
				err := once(ctx, &http.Client{Timeout: time.Second}, "http://"+net.JoinHostPort(ip, "8080")+"/readyz")
				mu.Lock()
				defer mu.Unlock()
				if failures[ip]++; err == nil {
					failures[ip] = 0
				}
			})
		}
		wait.Wait()
		mu.Lock()
		defer mu.Unlock()
		healthy = healthy[:0]
		for ip := range strings.FieldsSeq(ips) {
			if failures[ip] < 2 {
				healthy = append(healthy, ip)
			}
		}
		slices.Sort(healthy)
	}
	check(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		for ctx.Err() == nil {
			c.pause(ctx, 2*time.Second)
			check(ctx)
		}
	}()
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, MaxIdleConnsPerHost: clients},
		Rewrite: func(r *httputil.ProxyRequest) {
			mu.Lock()
			defer mu.Unlock()
			next++
			r.SetURL(&url.URL{Scheme: "http", Host: net.JoinHostPort(healthy[next%len(healthy)], "8080")})
			r.SetXForwarded()
		},
	})
	t.Cleanup(server.Close)
	return server.URL
}
