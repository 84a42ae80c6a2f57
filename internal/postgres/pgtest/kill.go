//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends the server as a loss of power would: SIGKILL to all its processes. The
// first one is stopped before, so that it starts no more of them.
func (s *Server) Kill() error {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("kill server: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	main, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("kill server: %w", err)
	}
	if err := syscall.Kill(main, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("kill server: %w", err)
	}
	children, err := processes(func(p process) bool { return p.parent == main })
	for _, pid := range append(children, main) {
		if kill := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(kill, syscall.ESRCH) {
			err = errors.Join(err, kill)
		}
	}
	return errors.Join(err, s.end(), gone(children))
}

// gone waits until processes have ended: while one is there, so is the memory that they
// share, and no server starts on their data.
func gone(pids []int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		// One that has ended stays in the table, as Z, until its parent has looked.
		left, err := processes(func(p process) bool { return slices.Contains(pids, p.id) && !strings.HasPrefix(p.state, "Z") })
		if err != nil || len(left) == 0 {
			return err
		}
	}
	return nil
}

type process struct {
	id, parent int
	state      string
}

// processes returns the IDs of processes that match.
func processes(match func(process) bool) ([]int, error) {
	table, err := exec.CommandContext(context.Background(), "ps", "-A", "-o", "pid=,ppid=,stat=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []int
	for line := range strings.Lines(string(table)) {
		var p process
		if _, err := fmt.Sscan(line, &p.id, &p.parent, &p.state); err == nil && match(p) {
			found = append(found, p.id)
		}
	}
	return found, nil
}
