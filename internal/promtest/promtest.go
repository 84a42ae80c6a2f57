// Package promtest runs a private Prometheus for tests, from the machine's program, and asks it.
package promtest

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const patience = time.Minute

var client = &http.Client{Timeout: 20 * time.Second}

// Server is a running Prometheus.
type Server struct{ URL string }

// Need skips a test where there is no Prometheus, and returns its program.
func Need(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("there is no prometheus: make test-chart, drills and drill-alerts install it")
	}
	return program
}

// Start starts a Prometheus for the length of a test and waits until it is ready. Its files lie
// in one folder; prometheus.yaml, which configures it, is one of them.
func Start(t testing.TB, files map[string]string, args ...string) *Server {
	t.Helper()
	program, dir, address := Need(t), t.TempDir(), FreeAddress(t)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args = append([]string{
		"--config.file=" + filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address, "--log.level=warn",
	}, args...)
	var said bytes.Buffer
	// It ends by its cleanup, after what looks at it.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...) //nolint:gosec // the program of the PATH
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("prometheus said: …%s", said.Bytes()[max(0, said.Len()-3000):])
		}
	})
	s := &Server{"http://" + address}
	tick, deadline := time.NewTicker(100*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !s.ready(t.Context()) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("prometheus is not ready after %s", patience)
		}
	}
	return s
}

func (s *Server) ready(ctx context.Context) bool {
	resp, err := get(ctx, s.URL+"/-/ready")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Get reads the data of an answer of its API:
// https://prometheus.io/docs/prometheus/latest/querying/api/
func (s *Server) Get(t testing.TB, path string, query url.Values, data any) {
	t.Helper()
	resp, err := get(t.Context(), s.URL+path+"?"+query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&struct{ Data any }{data}); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
}

// Firing returns the labels of the alerts that fire.
func (s *Server) Firing(t testing.TB) []map[string]string {
	t.Helper()
	var answer struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	s.Get(t, "/api/v1/alerts", nil, &answer)
	var firing []map[string]string
	for _, alert := range answer.Alerts {
		if alert.State == "firing" {
			firing = append(firing, alert.Labels)
		}
	}
	return firing
}

func get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

// FreeAddress is one to listen on, that was free a moment ago: for a process whose address a
// Prometheus has to know before it is there.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nobody has come
	return l.Addr().String()
}
