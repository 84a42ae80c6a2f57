// Command ingest-lambda is the function that AWS Lambda runs: one invocation is one run of
// one source, by the same code as cmd/ingest. What it is told is an event (event.go), what it
// answers a result (result.go); metrics go to its log (emf.go).
//
// A run ends before the invocation's deadline with what it has loaded by then, and the next
// goes on from there.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // provided.al2023 has no zone files

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/ingest"
	"bourse/internal/telemetry"

	"github.com/aws/aws-lambda-go/lambda"
)

// answering is how long the answer of the last run may take to Lambda, whose library does not
// say when it has gone. The process is killed 500 ms after its signal.
const answering = 100 * time.Millisecond

func main() { config.Main("ingest-lambda", run) }

// run serves invocations until ctx ends, as by the SIGTERM that Lambda sends before it takes
// the environment away.
func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("ingest-lambda", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var storage config.Storage
	storage.Flags(fs)
	level := config.LogLevel(fs)
	var feeds wire.Feeds
	feeds.Flags(fs)
	if err := config.Parse(fs, args); err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, "ingest-lambda", stderr, *level)
	if err != nil {
		return err
	}
	defer tel.Shutdown(ctx)
	slog.SetDefault(tel.Logger) // what the library for Lambda logs becomes JSON too
	tel.Logger.InfoContext(ctx, "starting", config.Attrs(fs)...)

	sources, err := feeds.Open()
	if err != nil {
		return err
	}
	store, err := wire.OpenStore(ctx, storage, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	raw, err := wire.OpenArchive(ctx, storage, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()

	f := &function{
		sources: sources, log: tel.Logger, spent: store.Spent, metrics: os.Stdout, stop: ctx,
		ingest: ingest.New(ingest.Config{Store: store, Archive: raw, Logger: tel.Logger, Tracer: tel.Tracer}),
	}
	// Lambda's library never returns. The invocations' contexts end with ours by f.stop, so
	// that the one under way can still answer.
	invoke := func(ctx context.Context, text json.RawMessage) (*result, error) {
		defer tel.Flush(ctx) // before the environment is frozen
		return f.invoke(ctx, text)
	}
	go lambda.StartWithOptions(invoke, lambda.WithContext(context.WithoutCancel(ctx)), lambda.WithEnableSIGTERM())
	<-ctx.Done()
	f.running.Lock() // the run under way has ended
	<-time.After(answering)
	return nil
}
