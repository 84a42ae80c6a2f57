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
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel := telemetry.Setup("web", stderr, *level)
	tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)

	target, err := url.Parse(*apiURL)
	if err != nil || target.Host == "" {
		return errors.New("the API's URL is not one")
	}
	proxy := &httputil.ReverseProxy{
		Transport: &balancer.Transport{},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"] // to add to it, as a proxy does
			r.SetXForwarded()
			r.Out.URL.RawQuery = r.In.URL.RawQuery // a malformed one is the API's to refuse
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
	pages, err := web.New(web.Config{API: proxy, Logger: tel.Logger})
	if err != nil {
		return err
	}
	// Pages without the API say so; a web that left the load balancer could not.
	ready := func(context.Context) error { return nil }
	return server.Run(ctx, server.Config{Listen: listen, Handler: pages, Ready: ready, Telemetry: tel})
}
