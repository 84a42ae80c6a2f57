package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"bourse/internal/archive"
	"bourse/internal/config"
	"bourse/internal/function"
	"bourse/internal/market"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (c cli) ingestion() *ffcli.Command {
	fs := flag.NewFlagSet("ingest", flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	name := fs.String("function", "", "the `name` of the function")
	source := fs.String("source", "ecb", "the `source` to run")
	apiURL := fs.String("api-url", "", "where the API answers, as https://bourse.example.com")
	archiveURL := fs.String("archive-url", "", "the archive that the function writes to, as s3://bucket?region=eu-west-1")
	key := fs.String("key", "", "an API `key`, for a source under an internal licence")
	return &ffcli.Command{
		Name: "ingest", ShortUsage: "bourse doctor ingest -function NAME -api-url URL -archive-url URL [flags]",
		ShortHelp: "let the ingest function on AWS run, and follow what it brought",
		LongHelp: "Ingest runs the function for one source, and looks for what must come of it, one after the other:\n" +
			"  function  it answers that it has done all there was to do\n" +
			"  run       the API has the run, and its outcome is ok\n" +
			"  objects   what the run received lies in the archive, and its bytes hash to their names\n" +
			"  rows      the API has rows of the source\n" +
			"  lineage   it names an object of the archive for them, of this run where they are its own\n" +
			"  payload   it serves the bytes of that object\n" +
			"It ends at the first that is missing. The run is one like those by schedule, and harmless to repeat.\n" +
			"It needs lambda:InvokeFunction for the function and to list and read the archive; credentials and region\n" +
			"are found as by the aws command.\n\n" +
			"Exit status: 0 all is there, 1 something is missing or failed, 2 wrong usage.",
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := config.Parse(fs, args); err != nil {
				return misuse{err}
			}
			api, err := url.Parse(*apiURL)
			switch {
			case *name == "":
				return misuse{errors.New("say which function: -function")}
			case err != nil || api.Host == "":
				return misuse{errors.New("say where the API answers: -api-url")}
			case *archiveURL == "":
				return misuse{errors.New("say where the archive is: -archive-url")}
			}
			account, err := function.Open(ctx)
			if err != nil {
				return err
			}
			raw, err := archive.Open(ctx, *archiveURL)
			if err != nil {
				return err
			}
			e := ingestion{account: account, function: *name, source: *source, api: api, key: *key, archive: raw}
			return errors.Join(e.follow(ctx, c.stdout), raw.Close())
		},
	}
}

// ingestion is one run of the function, followed from its event to the screen.
type ingestion struct {
	account          *function.Account
	function, source string
	api              *url.URL
	key              string
	archive          *archive.Archive

	id       int64 // of the run, as the function says
	run      runSaid
	received []string // hashes of what the run received
	row      rowSaid
}

type runSaid struct {
	ID        int64
	StartedAt time.Time  `json:"started_at"`
	Finished  *time.Time `json:"finished_at"`
	Outcome   market.Outcome
	Error     string
	Payloads  int
	Inserted  int
	Revised   int
	Unchanged int
	Newest    *string
}

type rowSaid struct{ symbol, start, sha256 string }

// patience is how long the API may take to hear of a run that has ended.
const patience = 15 * time.Second

// follow writes a line for each thing that is there, and for the first that is not.
func (e *ingestion) follow(ctx context.Context, w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, step := range []struct {
		name string
		look func(context.Context) (string, error)
	}{
		{"function", e.invoke}, {"run", e.awaitRun}, {"objects", e.objects}, {"rows", e.rows}, {"lineage", e.lineage}, {"payload", e.payload},
	} {
		what, err := step.look(ctx)
		state := "ok"
		if err != nil {
			state, what = "FAILED", oneLine(err)
		}
		if werr := written(fmt.Fprintf(table, "%s\t%s\t%s\n", state, step.name, what)); werr != nil {
			return werr
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", step.name, err), written(0, table.Flush()))
		}
	}
	return written(0, table.Flush())
}

func (e *ingestion) invoke(ctx context.Context) (string, error) {
	event, err := json.Marshal(function.Event{Source: e.source, Reason: "doctor"})
	if err != nil {
		return "", err
	}
	began := time.Now()
	answer, err := e.account.Invoke(ctx, e.function, event)
	if err == nil {
		err = answer.Unfinished()
	}
	if err != nil {
		return "", err
	}
	e.id = answer.Run
	return fmt.Sprintf("%s ran for %s", e.function, time.Since(began).Round(10*time.Millisecond)), nil
}

// awaitRun waits until the API has the run, and its end.
func (e *ingestion) awaitRun(ctx context.Context) (string, error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var list struct{ Runs []runSaid }
		if err := e.get(ctx, &list, url.Values{"source": {e.source}}, "runs"); err != nil {
			return "", err
		}
		i := slices.IndexFunc(list.Runs, func(r runSaid) bool { return r.ID == e.id && r.Finished != nil })
		if i >= 0 {
			e.run = list.Runs[i]
			break
		}
		select {
		case <-time.After(time.Second):
		case <-waiting.Done():
			return "", fmt.Errorf("the API has no run %d of %s that has ended: do function and API have the same database?", e.id, e.source)
		}
	}
	if e.run.Outcome != market.OK {
		return "", fmt.Errorf("run %d ended with %s: %s", e.run.ID, e.run.Outcome, e.run.Error)
	}
	return fmt.Sprintf("run %d received %d payloads: %d rows inserted, %d revised, %d unchanged",
		e.run.ID, e.run.Payloads, e.run.Inserted, e.run.Revised, e.run.Unchanged), nil
}

// objects hashes what the run received.
func (e *ingestion) objects(ctx context.Context) (string, error) {
	for p, err := range e.archive.Receipts(ctx, e.source, e.run.StartedAt) {
		if err != nil {
			return "", err
		}
		if p.RunID != e.run.ID || p.ReceivedAt.Before(e.run.StartedAt) {
			continue
		}
		if _, err := e.archive.Get(ctx, e.source, p.SHA256); err != nil {
			return "", fmt.Errorf("of run %d: %w", e.run.ID, err)
		}
		e.received = append(e.received, p.SHA256)
	}
	if len(e.received) < e.run.Payloads {
		return "", fmt.Errorf("run %d received %d payloads, and the archive has %d of them: does the function write to this one?",
			e.run.ID, e.run.Payloads, len(e.received))
	}
	if len(e.received) == 0 {
		return "nothing was due", nil
	}
	return fmt.Sprintf("%d, as %s", len(e.received), e.received[0]), nil
}

// rows looks for the newest row of the source.
func (e *ingestion) rows(ctx context.Context) (string, error) {
	var list struct {
		Instruments []struct {
			Symbol string
			Last   *string
		}
	}
	if err := e.get(ctx, &list, url.Values{"source": {e.source}}, "instruments"); err != nil {
		return "", err
	}
	with := 0
	for _, i := range list.Instruments {
		if i.Last == nil {
			continue
		}
		if with++; e.row.symbol == "" || *i.Last > e.row.start {
			e.row = rowSaid{symbol: i.Symbol, start: *i.Last}
		}
	}
	if with == 0 {
		return "", fmt.Errorf("the API has no row of %s", e.source)
	}
	if e.run.Newest != nil && e.row.start < *e.run.Newest {
		return "", fmt.Errorf("the newest row of the API is of %s, and run %d has seen one of %s", e.row.start, e.run.ID, *e.run.Newest)
	}
	return fmt.Sprintf("of %d instruments, the newest of %s", with, e.row.start), nil
}

func (e *ingestion) lineage(ctx context.Context) (string, error) {
	var said struct {
		Versions []struct {
			Current bool
			Run     int64
			Payload struct{ SHA256 string }
		}
	}
	if err := e.get(ctx, &said, nil, "lineage", e.row.symbol, e.row.start); err != nil {
		return "", err
	}
	for _, v := range said.Versions {
		if !v.Current {
			continue
		}
		e.row.sha256 = v.Payload.SHA256
		of := fmt.Sprintf("%s of %s comes from %s of run %d", e.row.symbol, e.row.start, v.Payload.SHA256, v.Run)
		if v.Run == e.run.ID && !slices.Contains(e.received, v.Payload.SHA256) {
			return "", fmt.Errorf("%s, which has no such object in the archive", of)
		}
		if _, err := e.archive.Get(ctx, e.source, v.Payload.SHA256); err != nil {
			return "", fmt.Errorf("%s: %w", of, err)
		}
		return of, nil
	}
	return "", fmt.Errorf("the API names nothing that %s of %s comes from", e.row.symbol, e.row.start)
}

// payload asks the API for the bytes, which it reads from the archive with rights of its own.
func (e *ingestion) payload(ctx context.Context) (string, error) {
	body, err := e.ask(ctx, nil, "payloads", e.row.sha256)
	if err != nil {
		return "", err
	}
	if market.SHA256(body) != e.row.sha256 {
		return "", fmt.Errorf("the API serves other bytes as %s", e.row.sha256)
	}
	return fmt.Sprintf("%d bytes by the API", len(body)), nil
}

func (e *ingestion) get(ctx context.Context, into any, query url.Values, path ...string) error {
	body, err := e.ask(ctx, query, path...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s does not answer as the API: %w", e.api, err)
	}
	return nil
}

func (e *ingestion) ask(ctx context.Context, query url.Values, path ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u := e.api.JoinPath(append([]string{"api/v1"}, path...)...)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if e.key != "" {
		req.Header.Set("Authorization", "Bearer "+e.key)
	}
	resp, err := (&http.Client{}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return body, nil
	}
	var problem struct{ Title, Detail string }
	_ = json.Unmarshal(body, &problem) // another's page has none
	err = fmt.Errorf("%s answers %s: %s", u, resp.Status, strings.TrimSpace(problem.Title+" "+problem.Detail))
	if resp.StatusCode == http.StatusUnauthorized && e.key == "" {
		err = fmt.Errorf("%w (give an API key: BOURSE_KEY)", err)
	}
	return nil, err
}
