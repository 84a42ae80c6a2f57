// Command bourse is the whole system in one process: it fetches, stores and serves
// market data, with nothing to set up. With a verb it is the operator's tool for the
// same store and archive, on a laptop and as a Job in a cluster alike. See -help for
// what can be set; each flag is also an environment variable, -data-dir being
// BOURSE_DATA_DIR.
package main

import (
	"context"
	"io"
	"os"
	_ "time/tzdata" // an image has no zone files

	"bourse/internal/config"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func main() {
	config.Main("bourse", func(ctx context.Context, args []string, stderr io.Writer) error {
		return run(ctx, args, os.Stdout, stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := serve(stderr)
	c := cli{root: root.FlagSet, stdout: stdout, stderr: stderr}
	root.Subcommands = []*ffcli.Command{c.backfill(), c.replay(), c.gaps(), c.verify(), c.key(), c.redrive(), c.doctor()}
	return root.ParseAndRun(ctx, args)
}
