package drills

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// many is how many requests a rollout has to stand.
const many = 100_000

// hammer is wrk, which reads through the dashboard as fast as it is answered. Unlike the
// clients of [load] it does not repeat a request whose connection was closed under it.
type hammer struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan error

	mu     sync.Mutex
	output bytes.Buffer
	line   []byte
	sent   int
}

// progress is after how many requests wrk says so.
const progress = 1000

// hammer starts wrk. It runs until none, or until the test ends.
func (c *cluster) hammer(t *testing.T) *hammer {
	t.Helper()
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		t.Fatal("the load comes from wrk, which is not installed: make drills installs it")
	}
	var script strings.Builder
	fmt.Fprintln(&script, "local sent, paths = 0, {")
	for _, path := range paths {
		fmt.Fprintf(&script, "  %q,\n", path)
	}
	fmt.Fprintf(&script, `}
request = function()
  sent = sent + 1
  if sent %% %d == 0 then io.write("+\n"); io.flush() end
  return wrk.format("GET", paths[sent %% #paths + 1])
end
`, progress)
	file := filepath.Join(t.TempDir(), "paths.lua")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &hammer{t: t, done: make(chan error, 1)}
	h.cmd = exec.CommandContext(t.Context(), wrk, "-t1", fmt.Sprintf("-c%d", clients), "-d30m", "--timeout", "5s", "--latency", "-s", file, c.url)
	h.cmd.Stdout, h.cmd.Stderr = h, h
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { h.done <- h.cmd.Wait() }()
	return h
}

// Write receives what wrk says.
func (h *hammer) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range p {
		if h.line = append(h.line, b); b == '\n' {
			if string(h.line) == "+\n" {
				h.sent += progress
			} else {
				h.output.Write(h.line)
			}
			h.line = h.line[:0]
		}
	}
	return len(p), nil
}

// count is about how many requests have been sent.
func (h *hammer) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}

// none ends wrk and makes sure that no request failed, of at least so many.
func (h *hammer) none(least int) {
	h.t.Helper()
	if err := h.cmd.Process.Signal(os.Interrupt); err != nil {
		h.t.Error(err)
	}
	if err := <-h.done; err != nil {
		h.t.Error(err)
	}
	said := h.output.String()
	sent := 0
	if found := regexp.MustCompile(`(\d+) requests in`).FindStringSubmatch(said); found != nil {
		sent, _ = strconv.Atoi(found[1])
	}
	h.t.Log(strings.TrimSpace(said))
	if sent < least {
		h.t.Errorf("%d requests, want at least %d", sent, least)
	}
	for _, bad := range []string{"Socket errors", "Non-2xx"} {
		if strings.Contains(said, bad) {
			h.t.Errorf("wrk reports %s", bad)
		}
	}
}
