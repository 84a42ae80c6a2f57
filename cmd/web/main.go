// Command web serves the dashboard and passes /api on to the API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"bourse/internal/balancer"
	"bourse/internal/config"
	"bourse/internal/server"
	"bourse/internal/telemetry"
	"bourse/internal/web"
)

func main() { config.Main("web", run) }

func run(ctx context.Context, args []string, stderr io.Writer) error {
	fs := flag.NewFlagSet("web", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var listen config.Listen
	listen.Flags(fs)
	level := config.LogLevel(fs)
	apiURL := fs.String("api-url", "http://127.0.0.1:8081", "base URL of the API")
	apiReplicas := fs.String("api-replicas", "", "host:port whose addresses are those of the API's replicas, which are then asked one after the other")
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, "web", stderr, *level)
	if err != nil {
		return err
	}
	defer tel.Shutdown(ctx)
	tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)

	target, err := url.Parse(*apiURL)
	if err != nil || target.Host == "" {
		return errors.New("the API's URL is not one")
	}
	replicas := &balancer.Transport{Replicas: *apiReplicas}
	proxy := &httputil.ReverseProxy{
		Transport: replicas,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"] // to add to it, as a proxy does
			r.SetXForwarded()
			r.Out.URL.RawQuery = r.In.URL.RawQuery // a malformed one is the API's to refuse
		},
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del("X-Request-Id") // ours, which it was given, is set already
			return nil
		},
		FlushInterval: -1, // the event stream goes through at once
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			tel.Logger.WarnContext(r.Context(), "the API does not answer", "error", err)
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"type":"urn:bourse:problem:unavailable","title":"A part of the service is down","status":503}`)
		},
	}
	pages, err := web.New(web.Config{API: proxy, Logger: tel.Logger, Registerer: tel.Registry, Tracer: tel.Tracer})
	if err != nil {
		return err
	}
	return server.Run(ctx, server.Config{
		Listen: listen, Handler: pages, Ready: reached(target.JoinPath("livez").String(), replicas), Telemetry: tel,
	})
}

// reached returns a readiness that lasts once the API has been reached: network policies
// let a new pod through some time after it has started. Later, pages without the API say
// so; a dashboard that left its load balancer could not.
func reached(api string, transport http.RoundTripper) func(context.Context) error {
	client := &http.Client{Transport: transport, Timeout: 2 * time.Second}
	var once atomic.Bool
	return func(ctx context.Context) error {
		if once.Load() {
			return nil
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, api, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the API is not alive: %s", resp.Status)
		}
		once.Store(err == nil)
		return errors.Join(err, resp.Body.Close())
	}
}
