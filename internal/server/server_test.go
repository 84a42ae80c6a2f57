package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/config"
	"bourse/internal/telemetry"
)

// running is a server of a test.
type running struct {
	url, admin string
	stop       context.CancelFunc
	ended      chan error
}

func serve(t *testing.T, h http.Handler, ready func(context.Context) error, drain time.Duration) running {
	t.Helper()
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	r := running{stop: cancel, ended: make(chan error, 1)}
	go func() {
		r.ended <- Run(ctx, Config{
			Listen:  config.Listen{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Drain: drain},
			Handler: h, Ready: ready, Telemetry: setup(t, in),
		})
		in.Close()
	}()
	log := bufio.NewReader(out)
	line, err := log.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	var entry struct {
		Msg, Addr string
		Admin     string `json:"admin_addr"`
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg != "listening" {
		t.Fatalf("%s: %v", line, err)
	}
	r.url, r.admin = "http://"+entry.Addr, "http://"+entry.Admin
	t.Cleanup(cancel)
	return r
}

func setup(t *testing.T, log io.Writer) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Setup(t.Context(), "test", log, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func ok(context.Context) error { return nil }

func TestHealth(t *testing.T) {
	var down atomic.Bool
	s := serve(t, http.NotFoundHandler(), func(context.Context) error {
		if down.Load() {
			return errors.New("the password of the database is hunter2")
		}
		return nil
	}, 0)
	if code, _ := get(t, s.url+"/readyz"); code != http.StatusOK {
		t.Errorf("ready: %d", code)
	}
	down.Store(true)
	code, body := get(t, s.url+"/readyz")
	if code != http.StatusServiceUnavailable || strings.Contains(body, "hunter2") {
		t.Errorf("not ready: %d %s", code, body)
	}
	if code, _ := get(t, s.url+"/livez"); code != http.StatusOK {
		t.Errorf("live: %d", code)
	}
}

// TestAdminIsApart: metrics and profiles are not for the public.
func TestAdminIsApart(t *testing.T) {
	s := serve(t, http.NotFoundHandler(), ok, 0)
	if code, body := get(t, s.admin+"/metrics"); code != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %d", code)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.admin+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0") // which has exemplars
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text") {
		t.Errorf("metrics are %s", got)
	}
	if code, _ := get(t, s.admin+"/debug/pprof/"); code != http.StatusOK {
		t.Errorf("pprof: %d", code)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if code, _ := get(t, s.url+path); code != http.StatusNotFound {
			t.Errorf("%s in public: %d", path, code)
		}
	}
}

// TestShutdown: what is in flight is answered, streams end, readiness fails first.
func TestShutdown(t *testing.T) {
	arrived, proceed := make(chan struct{}, 2), make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if r.URL.Path == "/stream" {
			<-r.Context().Done()
			return
		}
		<-proceed
		fmt.Fprint(w, r.Context().Err())
	}), ok, 300*time.Millisecond)
	slow, stream := make(chan string, 1), make(chan struct{})
	go func() {
		_, body := get(t, s.url+"/slow")
		slow <- body
	}()
	go func() {
		defer close(stream)
		_, _ = get(t, s.url+"/stream")
	}()
	<-arrived
	<-arrived
	s.stop()
	for {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if draining := resp.StatusCode == http.StatusServiceUnavailable; draining != resp.Close {
			t.Errorf("%s, and the connection is to be closed: %t", resp.Status, resp.Close)
		} else if draining {
			break
		}
	}
	<-stream
	close(proceed)
	if body := <-slow; body != "<nil>" {
		t.Errorf("the slow answer is %q", body)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

func TestLongRequestsReachTheHandler(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }), ok, 0)
	if code, _ := get(t, s.url+"/?q="+strings.Repeat("x", 1<<20)); code != http.StatusTeapot {
		t.Errorf("a query of 1 MB: %d", code)
	}
}

func TestAddressInUse(t *testing.T) {
	s := serve(t, http.NotFoundHandler(), ok, 0)
	err := Run(t.Context(), Config{
		Listen:  config.Listen{Addr: strings.TrimPrefix(s.url, "http://"), AdminAddr: "127.0.0.1:0"},
		Handler: http.NotFoundHandler(), Ready: ok, Telemetry: setup(t, io.Discard),
	})
	if err == nil {
		t.Error("two servers at one address")
	}
}
