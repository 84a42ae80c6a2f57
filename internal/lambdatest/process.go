package lambdatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is one life of the program.
type process struct {
	cmd     *exec.Cmd
	log     string // file of what it writes, both streams, in order: as much as it has written
	started time.Time
	init    time.Duration // until it asked for the first event
	first   atomic.Bool   // it has asked

	asked     chan struct{}    // it asks for an event
	work      chan *Invocation // the event that it gets
	current   atomic.Pointer[Invocation]
	ended     chan struct{} // closed when it has ended
	extension atomic.Bool   // it has registered one, so that SIGTERM comes to it
}

// start starts the program.
func (e *Environment) start() (*process, error) {
	argv := append(append([]string{}, e.function.Wrap...), e.function.Binary)
	log, err := os.CreateTemp(e.t.TempDir(), "log")
	if err != nil {
		return nil, fmt.Errorf("log of the function: %w", err)
	}
	defer log.Close() // the process has its own
	p := &process{
		cmd: exec.Command(argv[0], argv[1:]...), log: log.Name(),
		asked: make(chan struct{}), work: make(chan *Invocation), ended: make(chan struct{}),
	}
	p.cmd.Env, p.cmd.Dir = e.env(), e.dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	e.mu.Lock()
	e.process = p
	e.mu.Unlock()
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		e.mu.Lock()
		e.process = nil
		e.mu.Unlock()
		return nil, fmt.Errorf("start the function: %w", err)
	}
	go func() {
		_ = p.cmd.Wait() // its status is in ProcessState
		close(p.ended)
	}()
	return p, nil
}

// freeze stops it as Lambda does between invocations, and thaw lets it go on.
func (p *process) freeze() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) } // it may have ended
func (p *process) thaw()   { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// shutdown ends it, and reports whether it did so by itself.
func (p *process) shutdown() (orderly bool) {
	if p.extension.Load() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		p.thaw()
		select {
		case <-p.ended:
			return true
		case <-time.After(grace):
		}
	}
	p.kill()
	return false
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// lines are what it has written so far. The file has them as soon as they are written.
func (p *process) lines() []string {
	text, err := os.ReadFile(p.log)
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func memory(t testing.TB, pid int, kind string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, kind+":"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatalf("/proc has no %s", kind)
	return 0
}
