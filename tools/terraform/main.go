// Command terraform plans an environment of deploy/terraform from an empty state. Its
// tests check all that is there: see estate_test.go and rules_test.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run plans in a copy with a local backend, so that neither a state nor a lock file of the
// environment is read or written.
func run(ctx context.Context, args []string) error {
	if len(args) != 1 || (args[0] != "dev" && args[0] != "prod") {
		return fmt.Errorf("say which environment: make tf-plan ENV=dev|prod")
	}
	dir, err := os.MkdirTemp("", "bourse-plan-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := open(ctx, dir)
	if err != nil {
		return err
	}
	root := "envs/" + args[0]
	if err := w.useLocalBackend(root); err != nil {
		return err
	}
	values, err := w.values(root)
	if err != nil {
		return err
	}
	for _, command := range [][]string{{"init", "-input=false"}, append([]string{"plan", "-input=false"}, values...)} {
		cmd := exec.CommandContext(ctx, "terraform", command...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.path(root), w.env, os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("terraform %s: %w", command[0], err)
		}
	}
	return nil
}
