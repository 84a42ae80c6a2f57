package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"time"

	"bourse/internal/config"
	"bourse/internal/function"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (c cli) redrive() *ffcli.Command {
	fs := flag.NewFlagSet("redrive", flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	queue := fs.String("queue", "", "the `URL` of the queue of dead letters")
	name := fs.String("function", "", "the `name` of the function that runs their events")
	list := fs.Bool("list", false, "list the messages and run nothing")
	return &ffcli.Command{
		Name: "redrive", ShortUsage: "bourse redrive -queue URL -function NAME [flags]",
		ShortHelp: "run again what the ingest function on AWS failed to do",
		LongHelp: "Redrive runs the function with the event of each message in the queue of dead letters, one after the\n" +
			"other, and waits for its end. A message is deleted when its run has succeeded, or one of the same event that\n" +
			"began after it was sent. Else it stays, with the reason in its line:\n" +
			"  listed      it would be run (-list, which hides it from others for some seconds)\n" +
			"  succeeded   run and deleted\n" +
			"  duplicate   deleted, since a run of the same source and window has done its work\n" +
			"  kept        the run failed or was not done, or the message has no event of a run\n" +
			"A summary follows; in_flight are messages that someone has taken: they come back after the time of a run.\n" +
			"It needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes for the queue, and\n" +
			"lambda:InvokeFunction for the function; credentials and region are found as by the aws command.\n\n" +
			"Results are JSON on standard output, one object a line. It is safe to interrupt and to repeat.\n\n" +
			"Exit status: 0 nothing is kept, 1 an error, 2 wrong usage, 3 a message was kept.",
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := config.Parse(fs, args); err != nil {
				return misuse{err}
			}
			switch {
			case *queue == "":
				return misuse{errors.New("say which queue: -queue")}
			case *name == "" && !*list:
				return misuse{errors.New("say what runs the events: -function")}
			}
			account, err := function.Open(ctx)
			if err != nil {
				return err
			}
			r := redrive{
				queue: account.Queue(*queue), out: json.NewEncoder(c.stdout), began: map[function.Event]time.Time{},
				invoke: func(ctx context.Context, event []byte) (function.Result, error) {
					return account.Invoke(ctx, *name, event)
				},
			}
			if *list {
				err = r.list(ctx)
			} else {
				err = r.run(ctx)
			}
			if errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return errors.New("redrive was interrupted; it is safe to repeat")
			}
			return err
		},
	}
}

// redrive is one run of the verb.
type redrive struct {
	queue  *function.Queue
	out    *json.Encoder
	invoke func(ctx context.Context, event []byte) (function.Result, error)

	// began says of events, without the reason, which makes no other run of them, when by
	// the queue's clock a run that succeeded had not begun yet.
	began map[function.Event]time.Time
	done  redriven
}

type letterLine struct {
	Kind   string          `json:"kind"`
	Result string          `json:"result"`
	ID     string          `json:"id"`
	Sent   time.Time       `json:"sent_at"`
	From   string          `json:"from,omitempty"`
	Event  *function.Event `json:"event,omitempty"`
	Failed string          `json:"failed,omitempty"` // why it is in the queue
	Why    string          `json:"why,omitempty"`    // why it stays there
}

type redriven struct {
	Kind      string `json:"kind"`
	Listed    int    `json:"listed,omitempty"`
	Succeeded int    `json:"succeeded"`
	Duplicate int    `json:"duplicate"`
	Kept      int    `json:"kept"`
	InFlight  int    `json:"in_flight"`
}

func (r *redrive) list(ctx context.Context) error {
	for l, err := range r.queue.Look(ctx) {
		if err != nil {
			return err
		}
		r.done.Listed++
		if err := r.tell(l, "listed", l.Err); err != nil {
			return err
		}
	}
	r.done.Kind = "summary"
	return r.encode(r.done)
}

func (r *redrive) run(ctx context.Context) error {
	for l, err := range r.queue.Letters(ctx) {
		if err == nil {
			err = r.serve(ctx, l)
		}
		if err != nil {
			return err
		}
	}
	hidden, err := r.queue.Hidden(ctx)
	if err != nil {
		return err
	}
	r.done.Kind, r.done.InFlight = "summary", hidden
	if err := r.encode(r.done); err != nil {
		return err
	}
	if r.done.Kept > 0 {
		return found{fmt.Sprintf("messages that were kept: %d", r.done.Kept)}
	}
	return nil
}

// serve does what a message asks for and deletes it, or says why it stays. An error ends
// the verb: the next message would meet it too.
func (r *redrive) serve(ctx context.Context, l function.Letter) error {
	if l.Err != nil {
		r.done.Kept++
		return r.tell(l, "kept", l.Err)
	}
	event := l.Event
	event.Reason = ""
	result, count := "duplicate", &r.done.Duplicate
	// A run does all that was due when it began, so it has served what was sent before.
	if began, ok := r.began[event]; !ok || !l.Sent.Before(began) {
		answer, err := r.invoke(ctx, l.Raw)
		var failed *function.RunError
		if err != nil && !errors.As(err, &failed) {
			return errors.Join(r.tell(l, "kept", err), err)
		}
		if err == nil {
			err = answer.Unfinished()
		}
		if err != nil {
			r.done.Kept++
			return r.tell(l, "kept", err)
		}
		r.began[event] = l.Received
		result, count = "succeeded", &r.done.Succeeded
	}
	if err := r.queue.Delete(ctx, l); err != nil {
		return err
	}
	*count++
	return r.tell(l, result, nil)
}

func (r *redrive) tell(l function.Letter, result string, why error) error {
	line := letterLine{Kind: "message", Result: result, ID: l.ID, Sent: l.Sent, From: l.From, Failed: l.Failed}
	if l.Err == nil {
		line.Event = &l.Event
	}
	if why != nil {
		line.Why = why.Error()
	}
	return r.encode(line)
}

func (r *redrive) encode(line any) error {
	if err := r.out.Encode(line); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
