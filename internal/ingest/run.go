package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bourse/internal/market"
)

// Run brings a source up to date once. What goes wrong upstream is the outcome of
// the run; an error means that there was no run ([market.ErrLocked]) or that its
// record could not be written.
func (in *Ingester) Run(ctx context.Context, src Source, trigger string) (market.Run, error) {
	return in.record(ctx, src, trigger, func(ctx context.Context, run *market.Run) error {
		w := work{Ingester: in, src: src, info: src.Info(), run: run, failed: map[string]bool{}}
		for {
			have, err := in.cfg.Store.Coverage(ctx, w.info)
			if err != nil {
				return err
			}
			requests := src.Next(have, w.done, in.cfg.Now())
			if len(requests) == 0 {
				return w.held
			}
			if err := w.fetch(ctx, requests, have.Latest); err != nil {
				return err
			}
		}
	})
}

// work is what a run has done so far.
type work struct {
	*Ingester
	src  Source
	info market.Source
	run  *market.Run
	done []string // resources that it has asked for
	held error    // the first failure that did not end it
	// failed are the resources that are not asked further in this run. Those of many
	// parts come oldest first, so that the newest bar stored shows how far they came.
	failed map[string]bool
}

// fetch gets resources one after the other. An error ends the run; a failure that
// concerns one resource alone is held until the others have had their turn.
func (w *work) fetch(ctx context.Context, requests []market.Request, latest map[market.SeriesKey]market.Bar) error {
	for i, req := range requests {
		if w.failed[req.Resource] {
			continue
		}
		w.cfg.Progress(Progress{Source: w.info.Name, Step: "fetch", Done: i, Total: len(requests), Item: req.Resource})
		err := w.Ingester.fetch(ctx, w.src, w.run, req, latest)
		switch {
		case err == nil && w.info.Joint:
			// What was held would have restated most of what it covers. A longer file of
			// the same table has shown now that only a day was corrected.
			w.held = nil
		case holds(w.info, err):
			w.held = cmp.Or(w.held, err)
			w.failed[req.Resource] = true
		case err != nil:
			return errors.Join(waiting(err, len(requests)-i), w.held)
		}
		w.done = append(w.done, req.Resource)
	}
	return nil
}

// holds reports whether a run goes on after a failure. A source that is failing is not
// asked further where requests are few.
func holds(src market.Source, err error) bool {
	var f *market.Failure
	switch {
	case !errors.As(err, &f), !f.Alone, f.Outcome == market.RetryAfter && src.Limits.PerDay > 0:
		return false
	}
	return !src.Joint || errors.Is(err, errRestated)
}

// waiting says how many requests a quota keeps waiting.
func waiting(err error, n int) error {
	var f *market.Failure
	if errors.As(err, &f) && errors.Is(err, market.ErrQuota) {
		f.Reason = fmt.Sprintf("%s; waiting: %d", f.Reason, n)
	}
	return err
}

// record runs work under the source's lock and keeps the record of it.
func (in *Ingester) record(ctx context.Context, src Source, trigger string, work func(context.Context, *market.Run) error) (run market.Run, err error) {
	info := src.Info()
	ctx, span := in.traced(ctx, info.Name, trigger)
	defer func() { endRun(span, run, err) }()
	release, err := in.cfg.Store.Lock(ctx, info.Name)
	if err != nil {
		return market.Run{}, fmt.Errorf("run %s: %w", info.Name, err)
	}
	defer release()
	run = market.Run{Source: info.Name, Trigger: trigger, Started: in.cfg.Now().UTC()}
	if run.ID, err = in.cfg.Store.StartRun(ctx, info, trigger, run.Started); err != nil {
		return run, err
	}
	log := in.cfg.Logger.With("source", run.Source, "run", run.ID)
	log.InfoContext(ctx, "run started", "trigger", trigger)
	failure := work(ctx, &run)
	ended := ctx.Err()
	ctx = context.WithoutCancel(ctx) // the record of a run that was cut short is still written
	run.Finished = in.cfg.Now().UTC()
	settle(&run, failure, ended)
	if have, err := in.cfg.Store.Coverage(ctx, info); err == nil {
		run.Newest = newest(have)
		if run.Inserted > 0 {
			run.Lag = age(info, run.Newest, run.Finished)
		}
	}
	var next time.Time
	if info.Name != market.Simulated { // which is not asked again
		next = NextRun(info, run, in.cfg.Now())
	}
	attrs := runAttrs(run)
	if !next.IsZero() {
		attrs = append(attrs, slog.Time("next_run", next))
	}
	if failure == nil {
		log.LogAttrs(ctx, slog.LevelInfo, "run finished", attrs...)
	} else {
		log.LogAttrs(ctx, slog.LevelWarn, "run finished", append(attrs, slog.Any("cause", failure))...)
	}
	in.cfg.Metrics.observe(run)
	return run, in.cfg.Store.FinishRun(ctx, run, next)
}

// settle gives a run its outcome. What an error says of our own insides is for the
// log; the record, which everyone can read, names upstream failures only. ended is why the
// run had to stop, nil where it had not.
func settle(run *market.Run, err, ended error) {
	var f *market.Failure
	switch {
	case err == nil:
		run.Outcome = market.OK
	case errors.Is(ended, context.DeadlineExceeded):
		run.Outcome, run.Error = market.Interrupted, "the time was up; the next run goes on"
	case ended != nil:
		run.Outcome, run.Error = market.Interrupted, "the process was told to stop"
	case errors.As(err, &f):
		run.Outcome, run.Error = f.Outcome, f.Reason
		if f.After > 0 {
			run.RetryAt = run.Finished.Add(f.After)
		}
	default:
		run.Outcome, run.Error = market.RetryAfter, "the store or the archive failed"
	}
}

func newest(have market.Coverage) time.Time {
	var t time.Time
	for _, bar := range have.Latest {
		if bar.Start.After(t) {
			t = bar.Start
		}
	}
	return t
}

func runAttrs(r market.Run) []slog.Attr {
	return []slog.Attr{
		slog.String("outcome", string(r.Outcome)), slog.String("error", r.Error),
		slog.Float64("duration_seconds", r.Finished.Sub(r.Started).Seconds()),
		slog.Int("requests", r.Requests), slog.Int("payloads", r.Payloads), slog.Int("bars", r.Bars),
		slog.Int("inserted", r.Inserted), slog.Int("revised", r.Revised), slog.Int("unchanged", r.Unchanged),
		slog.Int("rejected", r.Rejected), slog.Int("flagged", r.Flagged),
	}
}

// fetch gets a resource and loads it, and tries again where that may help.
func (in *Ingester) fetch(ctx context.Context, src Source, run *market.Run, req market.Request, latest map[market.SeriesKey]market.Bar) (err error) {
	ctx, span := step(ctx, "fetch "+req.Resource)
	defer func() { end(span, err) }()
	attempts := attempts
	if src.Info().Limits.PerDay > 0 {
		attempts = fewAttempts
	}
	renewed := false
	for attempt := 1; ; attempt++ {
		err := in.fetchOnce(ctx, src, run, req, latest)
		var f *market.Failure
		if errors.As(err, &f) && f.Refused && !renewed && in.renew(ctx, run, req) {
			renewed = true
			continue
		}
		if errors.As(err, &f) && f.Outcome == market.QuotaUntil && f.After == 0 {
			now := in.cfg.Now()
			f.After = src.Info().Renewal(now).Sub(now)
		}
		if !errors.As(err, &f) || f.Outcome != market.RetryAfter || attempt == attempts {
			return err
		}
		wait := max(f.After, in.cfg.Backoff<<(attempt-1))
		if wait > maxWait {
			return err
		}
		in.cfg.Logger.WarnContext(ctx, "request failed, trying again", "source", run.Source, "run", run.ID,
			"resource", req.Resource, "attempt", attempt, "wait_seconds", wait.Seconds(), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// renew reads the credential of a request again after it was refused, and reports whether it
// is another now.
func (in *Ingester) renew(ctx context.Context, run *market.Run, req market.Request) bool {
	if req.Credential.Name == "" {
		return false
	}
	changed, err := req.Credential.Renew(ctx)
	in.cfg.Logger.WarnContext(ctx, "the key was refused, and read again", "source", run.Source, "run", run.ID, "changed", changed, "error", err)
	return changed
}

func (in *Ingester) fetchOnce(ctx context.Context, src Source, run *market.Run, req market.Request, latest map[market.SeriesKey]market.Bar) error {
	if err := in.admit(ctx, src.Info()); err != nil {
		return err
	}
	run.Requests++
	resp, err := in.get(ctx, run.Source, req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	run.Payloads++
	p := market.Payload{
		RunID: run.ID, Source: run.Source, Resource: req.Resource, URL: req.URL, Status: resp.status, Header: resp.header,
		ReceivedAt: resp.receivedAt, SHA256: market.SHA256(resp.body), Size: int64(len(resp.body)),
	}
	if err := in.keep(ctx, p, resp.body); err != nil {
		return err
	}
	return in.load(ctx, src, run, p, resp.body, latest)
}

func (in *Ingester) keep(ctx context.Context, p market.Payload, body []byte) error {
	ctx, span := step(ctx, "archive")
	err := in.cfg.Archive.Put(ctx, p, body)
	end(span, err)
	return err
}

// load takes an archived payload into the store, adds its counts to the run and
// brings the latest bars up to date.
func (in *Ingester) load(ctx context.Context, src Source, run *market.Run, p market.Payload, body []byte, latest map[market.SeriesKey]market.Bar) error {
	_, parsing := step(ctx, "parse")
	batch, err := parse(src, p, body)
	end(parsing, err)
	if err == nil {
		batch.Payload = p
		validate(&batch, latest)
		var counts market.Counts
		counts, err = in.store(ctx, batch)
		if err == nil {
			run.Counts.Add(counts)
			advance(latest, batch.Series)
			return nil
		}
	}
	var f *market.Failure
	if !errors.As(err, &f) {
		return err
	}
	in.cfg.Logger.WarnContext(ctx, "payload refused", "source", run.Source, "run", run.ID, "resource", p.Resource,
		"sha256", p.SHA256, "size", p.Size, "status", p.Status, "outcome", f.Outcome, "error", err)
	return errors.Join(err, in.cfg.Store.SavePayload(ctx, p))
}

func (in *Ingester) store(ctx context.Context, batch market.Batch) (market.Counts, error) {
	ctx, span := step(ctx, "load")
	counts, err := in.cfg.Store.Load(ctx, batch, in.accept)
	end(span, err)
	return counts, err
}

// advance moves the latest bars on to those of a payload, so that loading many does
// not mean asking the store for each: that takes a tenth of a second.
func advance(latest map[market.SeriesKey]market.Bar, list []market.Series) {
	for _, s := range list {
		if n := len(s.Bars); n > 0 && !s.Bars[n-1].Start.Before(latest[s.Key()].Start) {
			latest[s.Key()] = s.Bars[n-1]
		}
	}
}

func (in *Ingester) accept(c market.Counts) error {
	if in.cfg.AcceptRestatement {
		return nil
	}
	return restated(c)
}

// parse classifies and reads a payload. A parser that panics has met a format that
// nobody foresaw: the payload is refused, the process goes on.
func parse(src Source, p market.Payload, body []byte) (b market.Batch, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &market.Failure{Outcome: market.NeedsPerson, Reason: "the parser failed", Err: fmt.Errorf("panic: %v", r), Alone: true}
		}
	}()
	if err := classify(p, body); err != nil {
		return b, err
	}
	return src.Parse(p, body)
}

func isFailure(err error) bool {
	var f *market.Failure
	return errors.As(err, &f)
}
