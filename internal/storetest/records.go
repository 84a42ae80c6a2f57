package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
)

func ended(_ *testing.T, b *bench) {
	b.load(b.payload(
		series("EURHRK", "2026-02-02", "7.5"), series("EURISK", "2026-02-16", "140"), series("EURUSD", "2026-02-02", "1", "2026-03-02", "1")))
	for symbol, want := range map[string]bool{"EURHRK": true, "EURISK": false, "EURUSD": false} {
		i, err := b.Instrument(b.t.Context(), symbol)
		b.ok(err)
		b.same(symbol+" ended", i.Ended, want)
	}
	b.load(b.payload(series("EURHRK", "2026-03-02", "7.6")))
	i, err := b.Instrument(b.t.Context(), "EURHRK")
	b.ok(err)
	b.same("ended after it came back", i.Ended, false)
}

func listing(_ *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1"), series("EURJPY", "2026-03-02", "1"), series("EURGBP", "2026-03-02", "1")))
	for want, q := range map[string]market.InstrumentQuery{
		"EURGBP EURJPY EURUSD": {Limit: 10},
		"EURGBP EURJPY":        {Limit: 2},
		"EURUSD":               {After: "EURJPY", Limit: 10},
		"EURJPY":               {Text: "jp", Limit: 10},
		"EURGBP":               {Text: "OF EURG", Limit: 10},
		"":                     {Kind: market.Equity, Limit: 10},
		" ":                    {Source: "nobody", Limit: 10},
	} {
		list, err := b.Instruments(b.t.Context(), q)
		b.ok(err)
		var symbols []string
		for _, i := range list {
			symbols = append(symbols, i.Symbol)
		}
		b.same("instruments", strings.Join(symbols, " "), strings.TrimSpace(want))
	}
}

func quarantined(_ *testing.T, b *bench) {
	flaw := func(reason string, loaded bool) market.Quarantined {
		return market.Quarantined{
			Source: "ecb", Symbol: "EURUSD", Interval: market.Day, Start: day("2026-03-02").Time(),
			Raw: "-1", Reason: reason, Loaded: loaded,
		}
	}
	batch := b.payload(series("EURUSD", "2026-03-03", "1"))
	batch.Quarantine = []market.Quarantined{flaw("negative", false), flaw("moved", true)}
	counts := b.load(batch)
	b.same("rejected", counts.Rejected, 1)
	b.same("flagged", counts.Flagged, 1)
	again := b.payload(series("EURUSD", "2026-03-03", "1"))
	again.Quarantine = batch.Quarantine
	b.same("again", b.load(again), market.Counts{Bars: 1, Unchanged: 1})
	list, err := b.Quarantine(b.t.Context(), market.RecordQuery{Limit: 10})
	b.ok(err)
	b.same("entries", len(list), 2)
	b.same("newest first", list[0].Reason, "moved")
	b.same("payload", list[0].SHA256, batch.Payload.SHA256)
	b.same("run", list[0].RunID, b.run)
	b.same("start", list[0].Start, day("2026-03-02").Time())
	older, err := b.Quarantine(b.t.Context(), market.RecordQuery{Source: "ecb", Before: list[0].ID, Limit: 10})
	b.ok(err)
	b.same("older", len(older), 1)
	none, err := b.Quarantine(b.t.Context(), market.RecordQuery{Source: "nobody", Limit: 10})
	b.ok(err)
	b.same("another source", len(none), 0)
}

func interrupted(_ *testing.T, b *bench) {
	b.now = b.now.Add(time.Hour)
	second := b.begin("ecb")
	finished := market.Run{
		ID: second, Source: "ecb", Finished: b.now.Add(time.Minute), Outcome: market.RetryAfter, Error: "no answer",
		RetryAt: b.now.Add(time.Hour), Requests: 3, Payloads: 2, Newest: day("2026-03-02").Time(), Lag: 90 * time.Second,
		Counts: market.Counts{Bars: 6, Inserted: 1, Revised: 2, Unchanged: 3, Rejected: 4, Flagged: 5},
	}
	next := b.now.Add(2 * time.Hour)
	b.ok(b.FinishRun(b.t.Context(), finished, next))
	runs, err := b.Runs(b.t.Context(), market.RecordQuery{Limit: 10})
	b.ok(err)
	b.same("runs", len(runs), 2)
	b.same("first", runs[1].Outcome, market.Interrupted)
	b.same("end of the first", runs[1].Finished, b.now)
	finished.Trigger, finished.Started = "manual", b.now
	b.same("second", fmt.Sprint(runs[0]), fmt.Sprint(finished))
	planned, err := b.NextRun(b.t.Context(), "ecb")
	b.ok(err)
	b.same("next run", planned, next)
	older, err := b.Runs(b.t.Context(), market.RecordQuery{Source: "ecb", Before: runs[0].ID, Limit: 10})
	b.ok(err)
	b.same("older", len(older), 1)
	unknown, err := b.NextRun(b.t.Context(), "nobody")
	b.ok(err)
	b.same("next run of nobody", unknown.IsZero(), true)
}

func sources(_ *testing.T, b *bench) {
	b.load(b.payload(series("EURUSD", "2026-03-02", "1", "2026-03-03", "2"), series("EURHRK", "2026-01-05", "7")))
	b.load(b.payload(series("EURUSD", "2026-03-02", "1.5")))
	b.ok(b.FinishRun(b.t.Context(), market.Run{ID: b.run, Source: "ecb", Finished: b.now, Outcome: market.OK}, b.now))
	failed := b.begin("ecb")
	b.ok(b.FinishRun(b.t.Context(), market.Run{ID: failed, Source: "ecb", Finished: b.now, Outcome: market.Permanent}, b.now))
	b.begin("ecb") // is still running
	list, err := b.Sources(b.t.Context())
	b.ok(err)
	b.same("sources", len(list), 1)
	s := list[0]
	b.same("newest", s.Newest, day("2026-03-03").Time())
	b.same("figures", fmt.Sprint(s.Instruments, s.Ended, s.Bars, s.Revisions), "2 1 3 1")
	b.same("last run", s.LastRun.ID, failed)
	b.same("last success", s.LastOK.ID, b.run)
	b.same("published at", s.PublishAt, 16*time.Hour)
	b.same("next run", s.NextRun, b.now)
	b.same("asked", fmt.Sprint(s.Poll, s.Limits.PerDay), "5m0s 25")
}

func oneWriter(t *testing.T, b *bench) {
	release, err := b.Lock(t.Context(), "ecb")
	b.ok(err)
	other := b.reopen()
	if _, err := other.Lock(t.Context(), "ecb"); !errors.Is(err, market.ErrLocked) {
		t.Errorf("a second writer: got %v, want ErrLocked", err)
	}
	another, err := other.Lock(t.Context(), "coinbase")
	b.ok(err)
	another()
	release()
	release, err = other.Lock(t.Context(), "ecb")
	b.ok(err)
	release()
}

func simulated(t *testing.T, b *bench) {
	run := b.begin(market.Simulated)
	invented := b.payload(series("SIM-EURUSD", "2026-03-02", "1"))
	invented.Payload.Source, invented.Payload.RunID, invented.Instruments[0].Source = market.Simulated, run, market.Simulated
	b.load(invented)
	b.same("simulated", b.closes("SIM-EURUSD", time.Time{}), "03-02=1")
	if _, err := b.Load(t.Context(), b.payload(series("EURUSD", "2026-03-02", "1")), func(market.Counts) error { return errRefused }); err == nil {
		t.Fatal("the refused batch was loaded")
	}
	b.same("simulated after real bars were refused", b.closes("SIM-EURUSD", time.Time{}), "03-02=1")
	b.load(b.payload(series("EURUSD", "2026-03-02", "1")))
	_, err := b.Instrument(t.Context(), "SIM-EURUSD")
	b.same("simulated is gone", errors.Is(err, market.ErrNotFound), true)
	list, err := b.Sources(t.Context())
	b.ok(err)
	b.same("its source is gone", slices.ContainsFunc(list, func(s market.SourceStatus) bool { return s.Name == market.Simulated }), false)
	invented.Payload.RunID = b.begin(market.Simulated)
	if _, err := b.Load(t.Context(), invented, accept); !errors.Is(err, market.ErrRealData) {
		t.Errorf("simulated data beside real data: got %v, want ErrRealData", err)
	}
}
