package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bourse/internal/market"
	"bourse/internal/source/ecb/ecbtest"
)

// TestParts runs the parts of bourse as processes of their own, as on a cluster:
// what ingest loads is served by the API and shown by web, at once.
func TestParts(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "../...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	upstream := ecbtest.New(market.NewDate(2024, 1, 2), market.NewDate(2026, 3, 2))
	server := httptest.NewServer(upstream)
	defer server.Close()
	env := append(os.Environ(), "BOURSE_DATA_DIR="+t.TempDir(), "BOURSE_ECB_URL="+server.URL,
		"BOURSE_ADDR=127.0.0.1:0", "BOURSE_ADMIN_ADDR=127.0.0.1:0")

	if out, err := part(bin, "ingest", env).CombinedOutput(); err == nil || !strings.Contains(string(out), "run migrate first") {
		t.Errorf("ingest without a schema: %v, %s", err, out)
	}
	for range 2 { // harmless to repeat
		if out, err := part(bin, "migrate", env).CombinedOutput(); err != nil {
			t.Fatalf("migrate: %v, %s", err, out)
		}
	}
	if inserted := ingestOnce(t, bin, env); inserted < 1000 {
		t.Errorf("ingest inserted %v bars", inserted)
	}
	api := startPart(t, bin, "api", env)
	api.listening()
	web := startPart(t, bin, "web", append(env, "BOURSE_API_URL="+api.url))
	web.listening()

	if page := string(web.get("/")); !strings.Contains(page, "EURUSD") {
		t.Error("the overview lacks EURUSD")
	}
	malformed, err := http.Get(web.url + "/api/v1/bars/EURUSD?limit=%zz")
	if err != nil {
		t.Fatal(err)
	}
	malformed.Body.Close()
	if malformed.StatusCode != http.StatusBadRequest {
		t.Errorf("a malformed query through the dashboard: %s", malformed.Status)
	}
	stream, err := http.Get(web.url + "/api/v1/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Scan() // it listens
	day := upstream.Publish()
	if inserted := ingestOnce(t, bin, env); inserted != 5 {
		t.Errorf("ingest of a new day inserted %v bars", inserted)
	}
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if !strings.Contains(data, day.String()) {
				t.Errorf("the event lacks %s: %s", day, data)
			}
			break
		}
	}
	api.stop()
	resp, err := http.Get(web.url + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a page without the API: %s", resp.Status)
	}
	web.stop()
}

// TestPartsKnowClients makes sure that the limit of the API tells clients apart that come
// through the dashboard, behind a load balancer.
func TestPartsKnowClients(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../...").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	env := append(os.Environ(), "BOURSE_DATA_DIR="+t.TempDir(), "BOURSE_ADDR=127.0.0.1:0", "BOURSE_ADMIN_ADDR=127.0.0.1:0")
	if out, err := part(bin, "migrate", env).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v, %s", err, out)
	}
	api := startPart(t, bin, "api", append(env, "BOURSE_CLIENT_RATE=0.001", "BOURSE_CLIENT_BURST=2", "BOURSE_PROXIES=2"))
	api.listening()
	web := startPart(t, bin, "web", append(env, "BOURSE_API_URL="+api.url))
	web.listening()
	for _, c := range []struct {
		client string
		want   int
	}{{"10.0.0.1", 200}, {"10.0.0.1", 200}, {"10.0.0.1", 429}, {"10.9.9.9, 10.0.0.1", 429}, {"10.0.0.2", 200}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.url+"/api/v1/instruments", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", c.client)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != c.want {
			t.Errorf("%s: %s, %v, want %d", c.client, resp.Status, err, c.want)
		}
	}
}

func part(bin, name string, env []string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, name))
	cmd.Env = env
	return cmd
}

// ingestOnce runs ingest and returns how many bars its log says that it inserted.
func ingestOnce(t *testing.T, bin string, env []string) float64 {
	t.Helper()
	p := startPart(t, bin, "ingest", env)
	inserted := p.logged("run finished")["inserted"]
	if err := p.wait(); err != nil {
		t.Fatalf("ingest: %v", err)
	}
	return inserted.(float64)
}

func startPart(t *testing.T, bin, name string, env []string) *process {
	t.Helper()
	p := &process{t: t, cmd: part(bin, name, env), lines: make(chan string, 10000)}
	p.run()
	return p
}
