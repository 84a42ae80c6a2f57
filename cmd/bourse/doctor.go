package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"bourse/internal/config"
	"bourse/internal/leftovers"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// misuse ends a verb that was not told what it needs with a status of its own, where 1
// says that something was found.
type misuse struct{ error }

// ExitStatus is read by [config.Main].
func (misuse) ExitStatus() int { return 2 }

// doctor is the verb of checks around an installation, with verbs of its own.
func (c cli) doctor() *ffcli.Command {
	root := flag.NewFlagSet("doctor", flag.ContinueOnError)
	root.SetOutput(c.stderr)
	return &ffcli.Command{
		Name: "doctor", ShortUsage: "bourse doctor ingest|leftovers [flags]", ShortHelp: "check an installation, or what one left behind",
		LongHelp:    "Doctor looks at what surrounds an installation. It needs no store and no archive.",
		FlagSet:     root,
		Subcommands: []*ffcli.Command{c.ingestion(), c.leftovers()},
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 {
				return misuse{fmt.Errorf("doctor has no verb %q; it has ingest and leftovers", args[0])}
			}
			return misuse{errors.New("say what to look for: bourse doctor ingest or leftovers")}
		},
	}
}

func (c cli) leftovers() *ffcli.Command {
	fs := flag.NewFlagSet("leftovers", flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	name := fs.String("name", "", "the environment's `name`, as bourse-dev")
	region := fs.String("region", "", "its `region`, as eu-west-1")
	replica := fs.String("replica-region", "", "the `region` of its copies, where there is one")
	remove := fs.Bool("delete", false, "delete what holds no data")
	return &ffcli.Command{
		Name: "leftovers", ShortUsage: "bourse doctor leftovers -name NAME -region REGION [flags]",
		ShortHelp: "list what AWS still has of an environment after terraform destroy",
		LongHelp: "Leftovers lists what belongs to the environment by its tags or its name, in a state each:\n" +
			"  left    something to deal with\n" +
			"  kept    it outlives the environment on purpose: the final snapshot, copies of backups,\n" +
			"          what is locked, the state of Terraform\n" +
			"  going   AWS deletes it at a set time: secrets and keys in their waiting time\n" +
			"  unseen  a kind that could not be looked at\n" +
			"IAM is not looked at: it costs nothing.\n" +
			"It changes nothing without -delete. With it, it deletes what is left of these kinds, where AWS or a\n" +
			"controller of the cluster made it:\n  " + strings.Join(leftovers.Deleted(), ", ") + "\n" +
			"and looks again. It refuses while the cluster or the database is there. These it never deletes:\n  " +
			strings.Join(leftovers.Named(), ", ") + "\n" +
			"Credentials are found as by the aws command; they need to read and, with -delete, to delete these kinds.\n\n" +
			"Exit status: 0 nothing is left, 1 something is left, could not be looked at or failed, 2 wrong usage.",
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := config.Parse(fs, args); err != nil {
				return misuse{err}
			}
			cfg := leftovers.Config{Name: *name, Regions: []string{*region}}
			if *replica != "" && *replica != *region {
				cfg.Regions = append(cfg.Regions, *replica)
			}
			switch {
			case *name == "":
				return misuse{errors.New("say of which environment: -name")}
			case *region == "":
				return misuse{errors.New("say where it was: -region")}
			}
			if err := cfg.Check(); err != nil {
				return misuse{err}
			}
			return lookForLeftovers(ctx, c.stdout, cfg, *remove)
		},
	}
}

func lookForLeftovers(ctx context.Context, w io.Writer, cfg leftovers.Config, remove bool) error {
	account, err := leftovers.Open(ctx, cfg)
	if err != nil {
		return err
	}
	report, err := account.Find(ctx)
	if err != nil {
		return err
	}
	if err := tellLeftovers(w, report); err != nil {
		return err
	}
	if remove && report.Left() > 0 {
		done, err := account.Delete(ctx, report)
		if err != nil {
			return err
		}
		if err := tellDeletions(w, done); err != nil {
			return err
		}
		if report, err = account.Find(ctx); err != nil {
			return err
		}
		if err := tellLeftovers(w, report); err != nil {
			return err
		}
	}
	left, unseen := report.Left(), len(report.Unseen)
	if left+unseen > 0 {
		return fmt.Errorf("left of %s: %d; kinds that could not be looked at: %d", cfg.Name, left, unseen)
	}
	return nil
}

// tellLeftovers writes one line for each finding and each kind that was not seen.
func tellLeftovers(w io.Writer, report leftovers.Report) error {
	if len(report.Findings)+len(report.Unseen) == 0 {
		return written(fmt.Fprintln(w, "nothing is left"))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(cells ...string) error { return written(fmt.Fprintln(table, strings.Join(cells, "\t"))) }
	err := line("STATE", "REGION", "KIND", "ID", "SINCE", "COSTS", "WHY")
	for _, f := range report.Findings {
		since := "-"
		if !f.Since.IsZero() {
			since = f.Since.UTC().Format(time.DateOnly)
		}
		cost := f.Cost
		if cost == "" {
			cost = "-"
		}
		err = errors.Join(err, line(string(f.State), f.Region, f.Kind, f.ID, since, cost, f.Why))
	}
	for _, u := range report.Unseen {
		err = errors.Join(err, line("unseen", u.Region, u.Kind, "-", "-", "-", "could not look: "+oneLine(u.Err)))
	}
	return errors.Join(err, written(0, table.Flush()))
}

func tellDeletions(w io.Writer, done []leftovers.Deletion) error {
	var err error
	for _, d := range done {
		what := "deleted"
		if d.Err != nil {
			what = "not deleted, " + oneLine(d.Err) + ":"
		}
		err = errors.Join(err, written(fmt.Fprintf(w, "%s %s %s in %s\n", what, d.Kind, d.ID, d.Region)))
	}
	return err
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func written(_ int, err error) error {
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
