package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/telemetry"

	"github.com/peterbourgon/ff/v3/ffcli"
)

const statusHelp = "Exit status of a verb: 0 all is well, 1 an error, 3 gaps or verify found something."

// found ends a verb that has found something with a status of its own. It is 3, since
// a Go program that crashes ends with 2.
type found struct{ what string }

func (f found) Error() string { return f.what }

// ExitStatus is read by [config.Main].
func (found) ExitStatus() int { return 3 }

// cli is where the verbs read their flags and write.
type cli struct {
	root           *flag.FlagSet // flags may also come before the verb
	stdout, stderr io.Writer
}

// job is one run of a verb.
type job struct {
	*system
	chosen []ingest.Source
	ingest *ingest.Ingester
	out    *json.Encoder // one object a line
}

// verb returns a command that does one task with the chosen sources and exits. Its own
// flags are in fs.
func (c cli) verb(fs *flag.FlagSet, short, long string, do func(ctx context.Context, j *job) error) *ffcli.Command {
	fs.SetOutput(c.stderr)
	var s settings
	s.flags(fs)
	name := fs.Name()
	source := fs.String("source", "", "the `source` to do it for (default all)")
	return &ffcli.Command{
		Name:       name,
		ShortUsage: "bourse " + name + " [flags]",
		ShortHelp:  short,
		LongHelp: long + "\n\nResults are JSON on standard output, one object a line; logs are JSON on standard\n" +
			"error. On a terminal progress is told in place of logs of level INFO.\n\n" + statusHelp,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := c.parse(fs, args); err != nil {
				return err
			}
			err := c.run(ctx, fs, s, *source, do)
			if errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return fmt.Errorf("%s was interrupted; it is safe to repeat", name)
			}
			if errors.Is(err, market.ErrLocked) {
				return fmt.Errorf("%w; try again in a minute", err)
			}
			return err
		},
	}
}

// parse takes over the flags that came before the verb, then the environment.
func (c cli) parse(fs *flag.FlagSet, args []string) error {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var err error
	c.root.Visit(func(f *flag.Flag) {
		if fs.Lookup(f.Name) == nil {
			err = errors.Join(err, fmt.Errorf("%s has no flag -%s", fs.Name(), f.Name))
		} else if !given[f.Name] {
			err = errors.Join(err, fs.Set(f.Name, f.Value.String()))
		}
	})
	return errors.Join(err, config.Parse(fs, args))
}

func (c cli) run(ctx context.Context, fs *flag.FlagSet, s settings, source string, do func(context.Context, *job) error) (err error) {
	cfg := ingest.Config{}
	if isTerminal(c.stderr) {
		cfg.Progress = (&teller{w: c.stderr}).tell
		quiet(fs, s.level)
	}
	tel, err := telemetry.Setup(ctx, "bourse", c.stderr, *s.level)
	if err != nil {
		return err
	}
	defer tel.Shutdown(ctx)
	tel.Logger.InfoContext(ctx, "starting", append([]any{slog.String("verb", fs.Name())}, config.Attrs(fs)...)...)
	sys, err := s.open(ctx, tel)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.close()) }()
	cfg.Store, cfg.Archive, cfg.Logger, cfg.Tracer = sys.store, sys.archive, tel.Logger, tel.Tracer
	j := &job{system: sys, ingest: ingest.New(cfg), out: json.NewEncoder(c.stdout)}
	if j.chosen, err = wire.Choose(sys.sources, source); err != nil {
		return err
	}
	return do(ctx, j)
}

// quiet leaves a terminal to the progress, unless a level was asked for.
func quiet(fs *flag.FlagSet, level *slog.Level) {
	asked := false
	fs.Visit(func(f *flag.Flag) { asked = asked || f.Name == "log-level" })
	if !asked {
		*level = slog.LevelWarn
	}
}

// each does something for every chosen source, also after one for which it failed. A
// failure outranks what was found.
func (j *job) each(do func(ingest.Source) error) error {
	var failed, findings []error
	for _, src := range j.chosen {
		if err := do(src); errors.As(err, &found{}) {
			findings = append(findings, err)
		} else if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return errors.Join(findings...)
}

// ready makes sure that there is a store to read; a mistyped folder has none.
func (j *job) ready(ctx context.Context) error {
	if err := j.store.Ping(ctx); err != nil {
		return fmt.Errorf("there is no store here: %w", err)
	}
	return nil
}

// day is a flag that is a date.
type day struct {
	date market.Date
	set  bool
}

func (d *day) String() string {
	if d == nil || !d.set {
		return ""
	}
	return d.date.String()
}

// Set reads 2006-01-02.
func (d *day) Set(text string) (err error) {
	d.date, err = market.ParseDate(text)
	d.set = err == nil
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
