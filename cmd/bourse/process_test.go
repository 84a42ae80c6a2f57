package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the real one, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "bourse")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "bourse")
		build := exec.Command("go", "build", "-o", binary, ".")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("%v: %s", err, out))
		}
		// Tests that want a source name its upstream; none may be asked for real.
		if err := os.Setenv("BOURSE_COINBASE_PRODUCTS", "none"); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// process is a running bourse.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	started time.Time
	url     string
	lines   chan string // of its log, from the first that is not taken yet
	wait    func() error
}

// start starts bourse in a data folder with the ECB at an address, and what else is to
// be in its environment.
func start(t *testing.T, dir, ecbURL string, env ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary), lines: make(chan string, 10000)}
	p.cmd.Env = append(append(os.Environ(), "BOURSE_DATA_DIR="+dir, "BOURSE_ECB_URL="+ecbURL,
		"BOURSE_ADDR=127.0.0.1:0", "BOURSE_ADMIN_ADDR=127.0.0.1:0"), env...)
	p.run()
	return p
}

// run starts the process and reads its log.
func (p *process) run() {
	p.t.Helper()
	log, err := p.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for s := bufio.NewScanner(log); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	p.wait = sync.OnceValue(func() error {
		<-read
		return p.cmd.Wait()
	})
	p.t.Cleanup(p.kill)
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	_ = p.wait()
}

// stop asks it to end and makes sure that it ends well.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.wait(); err != nil {
		p.t.Errorf("after SIGTERM: %v", err)
	}
}

// logged waits for a line of the log with a message.
func (p *process) logged(message string) map[string]any {
	p.t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("it ended without logging %q", message)
			}
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				p.t.Fatalf("a line of the log is not JSON: %s", line)
			}
			if entry["msg"] == message {
				return entry
			}
		case <-timeout:
			p.t.Fatalf("it did not log %q in a minute", message)
		}
	}
}

// listening waits until it does.
func (p *process) listening() {
	p.t.Helper()
	p.url = fmt.Sprint("http://", p.logged("listening")["addr"])
}

// get returns the body of an answer with status 200.
func (p *process) get(path string) []byte {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s %v %.200s", path, resp.Status, err, body)
	}
	return body
}

func (p *process) json(path string, to any) {
	p.t.Helper()
	if err := json.Unmarshal(p.get(path), to); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
}

// memory returns a figure of /proc in MiB: VmRSS is what it has, VmHWM the most it had.
func (p *process) memory(name string) int {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skipf("no /proc: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				p.t.Fatal(err)
			}
			return kb / 1024
		}
	}
	p.t.Fatalf("/proc has no %s", name)
	return 0
}
