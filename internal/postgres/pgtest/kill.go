//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	children, err := childrenOf(main)
	for _, pid := range append(children, main) {
		if kill := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(kill, syscall.ESRCH) {
			err = errors.Join(err, kill)
		}
	}
	return errors.Join(err, s.end())
}

func childrenOf(parent int) ([]int, error) {
	table, err := exec.CommandContext(context.Background(), "ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var children []int
	for line := range strings.Lines(string(table)) {
		var pid, of int
		if _, err := fmt.Sscan(line, &pid, &of); err == nil && of == parent {
			children = append(children, pid)
		}
	}
	return children, nil
}
