package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/source/ecb/ecbtest"
)

// TestReplicas runs two replicas of the API on one PostgreSQL: a key that is revoked is
// refused by both within five seconds, and new bars reach the listeners of both.
func TestReplicas(t *testing.T) {
	server := pgtest.New(t)
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../...").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	upstream := ecbtest.New(market.NewDate(2024, 1, 2), market.NewDate(2026, 3, 2))
	rates := httptest.NewServer(upstream)
	defer rates.Close()
	env := append(os.Environ(), "BOURSE_DATA_DIR="+t.TempDir(), "BOURSE_DATABASE_URL="+server.URL(server.Database(t, "")), "BOURSE_ECB_URL="+rates.URL,
		"BOURSE_ADDR=127.0.0.1:0", "BOURSE_ADMIN_ADDR=127.0.0.1:0")
	if out, err := part(bin, "migrate", env).CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v, %s", err, out)
	}
	ingestOnce(t, bin, env)
	var replicas []*process
	for range 2 {
		p := startPart(t, bin, "api", env)
		p.listening()
		replicas = append(replicas, p)
	}

	made := verb(t, env, "key", "create", "-name", "desk").last(t, 0)
	ask := func(p *process) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/api/v1/bars/EURUSD", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", fmt.Sprint("Bearer ", made["secret"]))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for i, p := range replicas {
		if code := ask(p); code != http.StatusOK {
			t.Errorf("replica %d, with the key: %d", i, code)
		}
	}
	if r := verb(t, env, "key", "revoke", "-id", fmt.Sprint(made["id"])); r.status != 0 {
		t.Fatal(r.stderr)
	}
	revoked := time.Now()
	for i, p := range replicas {
		for ask(p) != http.StatusUnauthorized {
			if time.Since(revoked) > 5*time.Second {
				t.Fatalf("replica %d takes the revoked key after %s", i, time.Since(revoked))
			}
		}
		t.Logf("replica %d refuses the key %s after it was revoked", i, time.Since(revoked).Round(time.Millisecond))
	}

	var streams []*bufio.Scanner
	for _, p := range replicas {
		resp, err := http.Get(p.url + "/api/v1/stream")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		lines.Scan() // it listens
		streams = append(streams, lines)
	}
	day := upstream.Publish()
	ingestOnce(t, bin, env)
	for i, lines := range streams {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if !strings.Contains(data, day.String()) {
					t.Errorf("replica %d: the event lacks %s: %s", i, day, data)
				}
				break
			}
		}
		if body := string(replicas[i].get("/api/v1/bars/EURUSD?limit=1&order=desc")); !strings.Contains(body, day.String()) {
			t.Errorf("replica %d: the newest bar is not that of %s: %s", i, day, body)
		}
	}
}
