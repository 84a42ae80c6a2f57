package main

import (
	"fmt"

	"bourse/cmd/internal/wire"
	"bourse/internal/market"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// result is what an invocation answers.
type result struct {
	wire.RunLine
	// Complete says that the run did all there was to do; else the next goes on.
	Complete bool `json:"complete"`
	// Skipped says that there was no run, because another of the source was under way.
	Skipped bool `json:"skipped"`
}

func skipped(o order) *result {
	return &result{RunLine: wire.RunLine{Source: o.source.Info().Name, Trigger: o.reason}, Skipped: true}
}

// resultOf tells what a run came to. What the next run mends by itself is no error: a quota
// that is used up, a time that was up. The others are errors of the type of the outcome, so
// that Lambda tries again and then keeps the event, and somebody hears of it.
func resultOf(r market.Run) (*result, error) {
	switch r.Outcome {
	case market.OK, market.QuotaUntil, market.Interrupted:
		return &result{RunLine: wire.LineOf(r), Complete: r.Outcome == market.OK}, nil
	}
	return nil, messages.InvokeResponse_Error{
		Type: string(r.Outcome), Message: fmt.Sprintf("run %d of %s: %s", r.ID, r.Source, r.Error),
	}
}
