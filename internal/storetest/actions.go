package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
)

// list makes actions from alternating dates and values.
func list(symbol string, kind market.ActionKind, pairs ...string) market.ActionList {
	l := market.ActionList{Symbol: symbol, Kind: kind}
	for i := 0; i < len(pairs); i += 2 {
		l.Actions = append(l.Actions, market.Action{Day: day(pairs[i]), Value: price(pairs[i+1])})
	}
	return l
}

// announced makes a batch of lists that is received at a time.
func (b *bench) announced(at time.Time, lists ...market.ActionList) market.Batch {
	batch := b.payloadAt(at)
	batch.Actions = lists
	for _, l := range lists {
		if i := instrument(l.Symbol); !slices.Contains(batch.Instruments, i) {
			batch.Instruments = append(batch.Instruments, i)
		}
	}
	return batch
}

// known returns the lists of a symbol as "dividend: 03-02=0.26 …; split: …", as of a time.
func (b *bench) known(symbol string, asOf time.Time) string {
	b.t.Helper()
	lists, err := b.Actions(b.t.Context(), symbol, asOf)
	b.ok(err)
	var text []string
	for _, k := range lists {
		b.same("symbol", k.Symbol, symbol)
		line := string(k.Kind) + ":"
		for _, a := range k.Actions {
			line += " " + a.Day.String()[5:] + "=" + a.Value.String()
		}
		text = append(text, line)
	}
	return strings.Join(text, "; ")
}

func actions(t *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1")))
	b.same("of an instrument without any", b.known("EURUSD", time.Time{}), "")
	_, err := b.Actions(t.Context(), "AAPL", time.Time{})
	b.same("of none", errors.Is(err, market.ErrNotFound), true)
	told, err := b.LastChange(t.Context())
	b.ok(err)
	at := func(n int) time.Time { return b.now.Add(time.Duration(n) * time.Hour) }
	dividends := func(pairs ...string) market.ActionList { return list("AAPL", market.Dividend, pairs...) }
	for n, step := range []struct {
		lists []market.ActionList
		want  market.Counts
		known string
	}{
		{[]market.ActionList{list("AAPL", market.Split, "2014-06-09", "7"), dividends("2026-02-09", "0.26")},
			market.Counts{Bars: 2, Inserted: 2}, "dividend: 02-09=0.26; split: 06-09=7"},
		{[]market.ActionList{dividends("2026-02-09", "0.26"), list("AAPL", market.Split, "2014-06-09", "7")},
			market.Counts{Bars: 2, Unchanged: 2}, "dividend: 02-09=0.26; split: 06-09=7"},
		{[]market.ActionList{dividends("2026-02-09", "0.265", "2026-05-11", "0.26")},
			market.Counts{Bars: 2, Inserted: 1, Revised: 1}, "dividend: 02-09=0.265 05-11=0.26; split: 06-09=7"},
		{[]market.ActionList{dividends("2026-02-09", "0.265")},
			market.Counts{Bars: 1, Unchanged: 1, Revised: 1}, "dividend: 02-09=0.265; split: 06-09=7"},
		{[]market.ActionList{list("AAPL", market.Split)},
			market.Counts{Revised: 1}, "dividend: 02-09=0.265; split:"},
		{[]market.ActionList{list("AAPL", market.Split)},
			market.Counts{}, "dividend: 02-09=0.265; split:"},
	} {
		batch := b.announced(at(n+1), step.lists...)
		b.same("counts", b.load(batch), step.want)
		b.same("now", b.known("AAPL", time.Time{}), step.known)
		b.same("then", b.known("AAPL", at(n+1)), step.known)
		changes, err := b.Changes(t.Context(), told, 10)
		b.ok(err)
		if step.want.Inserted+step.want.Revised == 0 {
			b.same("changes told", len(changes), 0)
			continue
		}
		b.same("changes told", len(changes), 1)
		b.same("source", changes[0].Source, "ecb")
		b.same("changed series", len(changes[0].Series), 0)
		told = changes[0].Seq
	}
	b.same("before", b.known("AAPL", at(1).Add(-time.Microsecond)), "")
	b.same("at first", b.known("AAPL", at(3).Add(-time.Microsecond)), "dividend: 02-09=0.26; split: 06-09=7")
	// What was said again is known since it was said first.
	lists, err := b.Actions(t.Context(), "AAPL", at(2))
	b.ok(err)
	for _, k := range lists {
		b.same("known at", k.KnownAt, at(1))
		b.same("payload", k.SHA256, b.announced(at(1)).Payload.SHA256)
	}
	b.same("of an instrument with none", b.load(b.announced(at(7), list("EURUSD", market.Dividend))), market.Counts{})
	b.same("known to have none", b.known("EURUSD", time.Time{}), "dividend:")
}

// actionsInAnyOrder loads three lists in every order: what was known when depends on
// when they were received.
func actionsInAnyOrder(_ *testing.T, b *bench) {
	begin := b.now
	for n, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		symbol := "EUR" + string(rune('A'+n)) + "AA"
		lists := []market.ActionList{
			list(symbol, market.Dividend, "2026-02-09", "1"),
			list(symbol, market.Dividend, "2026-02-09", "2", "2026-05-11", "3"),
			list(symbol, market.Dividend, "2026-05-11", "3"),
		}
		at := func(i int) time.Time { return begin.Add(time.Duration(10*n+i+1) * time.Hour) }
		for range 2 { // loaded again they say nothing new
			for _, i := range order {
				b.load(b.announced(at(i), lists[i]))
			}
			b.same("before", b.known(symbol, at(0).Add(-time.Second)), "")
			b.same("first", b.known(symbol, at(0)), "dividend: 02-09=1")
			b.same("second", b.known(symbol, at(1)), "dividend: 02-09=2 05-11=3")
			b.same("third", b.known(symbol, at(2)), "dividend: 05-11=3")
			b.same("now", b.known(symbol, time.Time{}), "dividend: 05-11=3")
		}
		for _, i := range order {
			b.same("replayed", b.load(b.announced(at(i), lists[i])), market.Counts{Bars: len(lists[i].Actions), Unchanged: len(lists[i].Actions)})
		}
	}
}

func lateActions(_ *testing.T, b *bench) {
	at := func(n int) time.Time { return b.now.Add(time.Duration(n) * time.Hour) }
	b.load(b.announced(at(1), list("AAPL", market.Dividend, "2026-02-09", "1")))
	b.load(b.announced(at(9), list("AAPL", market.Dividend, "2026-02-09", "3", "2026-05-11", "3")))
	b.same("another", b.load(b.announced(at(5), list("AAPL", market.Dividend, "2026-02-09", "2", "2026-02-10", "3"))),
		market.Counts{Bars: 2, Inserted: 1, Revised: 1})
	b.same("like the one before", b.load(b.announced(at(3), list("AAPL", market.Dividend, "2026-02-09", "1"))),
		market.Counts{Bars: 1, Unchanged: 1})
	b.same("like the one after", b.load(b.announced(at(7), list("AAPL", market.Dividend, "2026-02-09", "3", "2026-05-11", "3"))),
		market.Counts{Bars: 2, Inserted: 1, Revised: 2})
	b.same("older than all", b.load(b.announced(at(0), list("AAPL", market.Dividend))), market.Counts{})
	for n, want := range []string{
		"", "02-09=1", "02-09=1", "02-09=1", "02-09=1", "02-09=2 02-10=3", "02-09=2 02-10=3", "02-09=3 05-11=3", "02-09=3 05-11=3", "02-09=3 05-11=3",
	} {
		b.same("known", strings.TrimSpace(strings.TrimPrefix(b.known("AAPL", at(n)), "dividend:")), want)
	}
}

func refusedActions(t *testing.T, b *bench) {
	b.load(b.announced(b.now, list("AAPL", market.Dividend, "2026-02-09", "1")))
	told, err := b.LastChange(t.Context())
	b.ok(err)
	batch := b.announced(b.now.Add(time.Hour), list("AAPL", market.Dividend, "2026-02-09", "9"), list("IBM-X", market.Split, "2021-11-04", "1.046"))
	var seen market.Counts
	_, err = b.Load(t.Context(), batch, func(c market.Counts) error {
		seen = c
		return errRefused
	})
	b.same("error", errors.Is(err, errRefused), true)
	b.same("counts", seen, market.Counts{Bars: 2, Inserted: 1, Revised: 1})
	b.same("known", b.known("AAPL", time.Time{}), "dividend: 02-09=1")
	_, err = b.Actions(t.Context(), "IBM-X", time.Time{})
	b.same("instrument", errors.Is(err, market.ErrNotFound), true)
	last, err := b.LastChange(t.Context())
	b.ok(err)
	b.same("last change", last, told)
}

func falseActions(t *testing.T, b *bench) {
	b.load(b.announced(b.now, list("AAPL", market.Dividend, "2026-02-09", "1")))
	good := list("AAPL", market.Dividend, "2026-02-09", "2")
	for what, lists := range map[string][]market.ActionList{
		"of an instrument that the batch does not have": {good, list("IBM-X", market.Split, "2021-11-04", "1.046")},
		"twice in a batch":             {good, good},
		"that are descending":          {list("AAPL", market.Split, "2026-02-09", "1", "2026-02-06", "1")},
		"that have a day twice":        {list("AAPL", market.Split, "2026-02-09", "1", "2026-02-09", "2")},
		"beside such as are ascending": {good, list("AAPL", market.Split, "2026-02-09", "1", "2026-02-06", "1")},
	} {
		batch := b.announced(b.now.Add(time.Hour), lists...)
		batch.Instruments = []market.Instrument{instrument("AAPL")}
		if _, err := b.Load(t.Context(), batch, accept); err == nil {
			t.Errorf("actions %s were loaded", what)
		}
	}
	b.same("known", b.known("AAPL", time.Time{}), "dividend: 02-09=1")
}

// checkActions goes through all lists that an instrument has had, from the newest.
func checkActions(ctx context.Context, t *testing.T, s Store, symbol string) {
	t.Helper()
	newest, err := s.Actions(ctx, symbol, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range newest {
		for there := true; there; {
			checkList(ctx, t, s, k)
			older, err := s.Actions(ctx, symbol, k.KnownAt.Add(-time.Microsecond))
			if err != nil {
				t.Fatal(err)
			}
			n := slices.IndexFunc(older, func(o market.KnownActions) bool { return o.Kind == k.Kind })
			if there = n >= 0; !there {
				continue
			}
			if !older[n].KnownAt.Before(k.KnownAt) {
				t.Fatalf("%s %s: the list known at %s follows that of %s", symbol, k.Kind, k.KnownAt, older[n].KnownAt)
			}
			k = older[n]
		}
	}
}

func checkList(ctx context.Context, t *testing.T, s Store, k market.KnownActions) {
	t.Helper()
	// Bytes that were received again have a newer receipt.
	p, err := s.Payload(ctx, k.SHA256)
	if err != nil || p.RunID == 0 || p.ReceivedAt.Before(k.KnownAt) {
		t.Errorf("%s %s: the list known at %s does not lead to its payload: %+v, %v", k.Symbol, k.Kind, k.KnownAt, p, err)
	}
	for i := 1; i < len(k.Actions); i++ {
		if k.Actions[i].Day <= k.Actions[i-1].Day {
			t.Errorf("%s %s: the list known at %s is not ascending", k.Symbol, k.Kind, k.KnownAt)
		}
	}
}
