package config

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a binary until it is done or told to stop, and exits with its status: 0, or
// for an error what its method ExitStatus says, or 1.
func Main(name string, run func(ctx context.Context, args []string, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		status := 1
		var own interface{ ExitStatus() int }
		if errors.As(err, &own) {
			status = own.ExitStatus()
		}
		os.Exit(status)
	}
}
