package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (c cli) verify() *ffcli.Command {
	return c.verb(flag.NewFlagSet("verify", flag.ContinueOnError), "compare the archive with its hashes, and the store with the archive",
		"Verify hashes the archive again, derives the series from it and compares them with the\n"+
			"store. It lists\n"+
			"  object_changed      archived bytes that do not have the hash they are named by\n"+
			"  object_missing      archived bytes that a receipt names and that are not there\n"+
			"  receipt_unreadable  a receipt that is broken\n"+
			"  value_differs       a value or a corporate action that is not what the archive gives\n"+
			"  bar_missing         a value that the archive gives and the store does not have\n"+
			"  bar_unexplained     a value that nothing in the archive gives\n"+
			"and then a summary for each source. It changes nothing.",
		func(ctx context.Context, j *job) error {
			if err := j.ready(ctx); err != nil {
				return err
			}
			return j.each(func(src ingest.Source) error { return j.verifySource(ctx, src) })
		})
}

type findingLine struct {
	Kind     ingest.FindingKind `json:"kind"`
	Source   string             `json:"source"`
	Symbol   string             `json:"symbol,omitempty"`
	Action   market.ActionKind  `json:"action,omitempty"`
	Interval market.Interval    `json:"interval,omitempty"`
	Start    string             `json:"start,omitempty"`
	Stored   string             `json:"stored,omitempty"`
	Derived  string             `json:"derived,omitempty"`
	SHA256   string             `json:"sha256,omitempty"`
	Receipt  string             `json:"receipt,omitempty"`
}

type verifySummary struct {
	Kind            string  `json:"kind"`
	Source          string  `json:"source"`
	Receipts        int     `json:"receipts"`
	Refused         int     `json:"refused"`
	Objects         int     `json:"objects"`
	Unnamed         int     `json:"objects_unnamed"`
	Values          int     `json:"values"`
	Unproven        int     `json:"values_unproven"`
	Findings        int     `json:"findings"`
	DurationSeconds float64 `json:"duration_seconds"`
}

func (j *job) verifySource(ctx context.Context, src ingest.Source) error {
	began := time.Now()
	name := src.Info().Name
	v, err := j.ingest.Verify(ctx, src, func(f ingest.Finding) error {
		line := findingLine{
			Kind: f.Kind, Source: name, Symbol: f.Symbol, Action: f.Action, Interval: f.Interval,
			Stored: f.Stored, Derived: f.Derived, SHA256: f.SHA256, Receipt: f.Receipt,
		}
		if f.Symbol != "" {
			line.Start = f.Interval.Format(f.Start)
		}
		return j.out.Encode(line)
	})
	if err != nil {
		return err
	}
	err = j.out.Encode(verifySummary{
		Kind: "summary", Source: v.Source, Receipts: v.Receipts, Refused: v.Refused, Objects: v.Objects, Unnamed: v.Unnamed,
		Values: v.Values, Unproven: v.Unproven, Findings: v.Findings, DurationSeconds: time.Since(began).Seconds(),
	})
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	if v.Findings > 0 {
		return found{fmt.Sprintf("findings in %s: %d", name, v.Findings)}
	}
	return nil
}
