// Command guard fails when a version that deploy pins is near the end of its support. It
// compares the pins, where they stand, with deploy/terraform/support.yaml.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("guard", flag.ContinueOnError)
	deploy := flags.String("deploy", "../../deploy", "the `folder` with the pins and the table")
	date := flags.String("date", time.Now().UTC().Format(time.DateOnly), "the `day` to look from")
	if err := flags.Parse(args); err != nil {
		return err
	}
	today, err := time.Parse(time.DateOnly, *date)
	if err != nil {
		return fmt.Errorf("-date: %w", err)
	}
	pins, err := readPins(*deploy)
	if err != nil {
		return err
	}
	table, err := readTable(*deploy + "/terraform/support.yaml")
	if err != nil {
		return err
	}
	for _, p := range pins {
		if _, err := fmt.Fprintf(out, "%-38s %-22s %s\n", p.component, p.version, table.when(p, today)); err != nil {
			return err
		}
	}
	if findings := table.check(pins, today); len(findings) > 0 {
		return errors.Join(findings...)
	}
	return nil
}
