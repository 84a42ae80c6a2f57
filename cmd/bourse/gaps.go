package main

import (
	"context"
	"flag"
	"fmt"

	"bourse/internal/ingest"
	"bourse/internal/market"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func (c cli) gaps() *ffcli.Command {
	return c.verb(flag.NewFlagSet("gaps", flag.ContinueOnError), "list days without values, and values in quarantine",
		"Gaps lists for each instrument, from its first day to the newest one that should be out by now,\n"+
			"or to its last where it has ended:\n"+
			"  day_missing  a day of the source's calendar without a value\n"+
			"  value_held   a value in quarantine that nothing has replaced, of any interval\n"+
			"  no_data      there is not one value\n"+
			"Where a source publishes all instruments as one table, a day is missing that has no value of any.\n"+
			"A summary of each source follows; its days are those with a value of any instrument. Gaps changes nothing.",
		func(ctx context.Context, j *job) error {
			if err := j.ready(ctx); err != nil {
				return err
			}
			return j.each(func(src ingest.Source) error {
				have, err := j.ingest.Gaps(ctx, src)
				if err != nil {
					return err
				}
				return j.tellGaps(have)
			})
		})
}

type gapLine struct {
	Kind     ingest.GapKind  `json:"kind"`
	Source   string          `json:"source"`
	Day      string          `json:"day,omitempty"`
	Symbol   string          `json:"symbol,omitempty"`
	Interval market.Interval `json:"interval,omitempty"`
	Start    string          `json:"start,omitempty"` // of a value within a day
	Raw      string          `json:"raw,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	SHA256   string          `json:"sha256,omitempty"`
}

type gapsSummary struct {
	Kind     string  `json:"kind"`
	Source   string  `json:"source"`
	Days     int     `json:"days"`
	First    *string `json:"first"`
	Newest   *string `json:"newest"`
	Expected string  `json:"expected"`
	Gaps     int     `json:"gaps"`
}

func (j *job) tellGaps(c ingest.Coverage) error {
	for _, gap := range c.Gaps {
		line := gapLine{
			Kind: gap.Kind, Source: c.Source, Symbol: gap.Symbol, Interval: gap.Held.Interval,
			Raw: gap.Held.Raw, Reason: gap.Held.Reason, SHA256: gap.Held.SHA256,
		}
		if gap.Kind != ingest.NoData {
			line.Day = gap.Day.String()
		}
		if i := gap.Held.Interval; i == market.Hour || i == market.Minute {
			line.Start = i.Format(gap.Held.Start)
		}
		if err := j.out.Encode(line); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	s := gapsSummary{Kind: "summary", Source: c.Source, Days: c.Days, Expected: c.Expected.String(), Gaps: len(c.Gaps)}
	if c.Days > 0 {
		first, newest := c.First.String(), c.Newest.String()
		s.First, s.Newest = &first, &newest
	}
	if err := j.out.Encode(s); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	if len(c.Gaps) > 0 {
		return found{fmt.Sprintf("gaps in %s: %d", c.Source, len(c.Gaps))}
	}
	return nil
}
