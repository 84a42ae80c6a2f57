package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/internal/source/ecb/ecbtest"
)

// TestKey makes a key beside a running server, uses it, revokes it, and is refused at
// once.
func TestKey(t *testing.T) {
	server := httptest.NewServer(ecbtest.New(firstDay, lastDay))
	defer server.Close()
	dir := t.TempDir()
	env := []string{"BOURSE_DATA_DIR=" + dir}
	p := start(t, dir, server.URL)
	p.listening()
	p.logged("run finished")
	made := verb(t, env, "key", "create", "-name", "research", "-sources", "vendor").last(t, 0)
	secret, _ := made["secret"].(string)
	ask := func(secret string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/api/v1/bars/EURUSD", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if code := ask(secret); code != http.StatusOK {
		t.Errorf("with the key: %d", code)
	}
	if code := ask(secret + "x"); code != http.StatusUnauthorized {
		t.Errorf("with another key: %d", code)
	}
	listed := verb(t, env, "key", "list")
	if line := listed.last(t, 0); line["id"] != made["id"] || line["name"] != "research" || line["secret"] != nil {
		t.Errorf("listed as %v", line)
	}
	id, _ := made["id"].(string)
	if r := verb(t, env, "key", "revoke", "-id", id); r.status != 0 {
		t.Errorf("revoke: %d %s", r.status, r.stderr)
	}
	if code := ask(secret); code != http.StatusUnauthorized {
		t.Errorf("with the revoked key: %d", code)
	}
	p.stop()
	for line := range p.lines {
		if strings.Contains(line, secret) {
			t.Errorf("the log has the secret: %s", line)
		}
	}
	for _, args := range [][]string{{"key"}, {"key", "make"}, {"key", "create"}, {"key", "revoke"}, {"key", "revoke", "-id", "nobody"}} {
		if r := verb(t, env, args...); r.status != 1 || !strings.HasPrefix(r.stderr, "bourse: ") {
			t.Errorf("%v: status %d, %q", args, r.status, r.stderr)
		}
	}
}
