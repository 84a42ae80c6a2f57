// Package storetest is the conformance suite of stores: what [ingest.Store] and
// [api.Store] promise, as stories. Every store passes it with one call of [Run].
package storetest

import (
	"context"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/ingest"
	"bourse/internal/market"
)

// Store is all that bourse asks of a store.
type Store interface {
	ingest.Store
	api.Store
}

// Run runs the suite. open returns a new empty store with its schema, and another
// handle on the same data each time reopen is called, as a second process has.
func Run(t *testing.T, open func(t *testing.T) (store Store, reopen func() Store)) {
	for name, story := range map[string]func(*testing.T, *bench){
		"a first load is read back":                        firstLoad,
		"the same bytes again write nothing":               sameAgain,
		"a correction becomes a revision":                  correction,
		"snapshots in either order give one history":       eitherOrder,
		"a confirmed value keeps its first date":           confirmed,
		"a refused batch leaves no trace":                  refused,
		"a batch that fails half-way leaves no trace":      halfWay,
		"ranges, orders and limits":                        ranges,
		"what is not there is not found":                   absent,
		"intervals are kept apart":                         intervals,
		"prices keep every digit":                          digits,
		"a series that fell silent has ended":              ended,
		"instruments are listed, searched and paged":       listing,
		"quarantine holds each flaw once":                  quarantined,
		"coverage says what is missing":                    coverage,
		"coverage tells instruments apart":                 coverageBySymbol,
		"coverage tells series and resources apart":        coverageOfSeries,
		"a quota is never exceeded":                        quota,
		"a quota is one for all who spend at once":         quotaAtOnce,
		"actions are kept as each list said them":          actions,
		"lists in any order give one history":              actionsInAnyOrder,
		"a late list is counted against the one before it": lateActions,
		"refused actions leave no trace":                   refusedActions,
		"actions that cannot be true are refused":          falseActions,
		"an instrument gets its name when it is known":     named,
		"a real instrument ends the simulation":            lookedUp,
		"a run that never finished was interrupted":        interrupted,
		"sources say how they stand":                       sources,
		"one writer of a source at a time":                 oneWriter,
		"simulated data gives way to real data for good":   simulated,
		"changes are told in order, also to other handles": changes,
		"the version changes with what is stored":          versions,
		"readers see whole loads while writers write":      isolation,
		"readers do not wait for a load":                   readDuring,
		"texts can be any bytes":                           anyText,
		"a payload overlaps what is stored":                between,
		"late payloads fill the history":                   lateHistory,
		"times are kept to the microsecond":                instants,
		"a symbol belongs to one source":                   ownSymbol,
		"simulated and real data never come in together":   realOrSimulated,
	} {
		t.Run(name, func(t *testing.T) {
			store, reopen := open(t)
			b := &bench{t: t, Store: store, reopen: reopen, now: day("2026-03-02").Time().Add(15 * time.Hour)}
			b.run = b.begin("ecb")
			story(t, b)
			b.check()
		})
	}
}

// bench is a store under test, with a clock that only goes forward.
type bench struct {
	Store
	t      *testing.T
	reopen func() Store
	now    time.Time
	run    int64
}

func (b *bench) begin(source string) int64 {
	b.t.Helper()
	id, err := b.StartRun(b.t.Context(), market.Source{
		Name: source, Title: source, Licence: market.Public, Calendar: market.TARGET, PublishAt: 16 * time.Hour, Zone: "Europe/Berlin",
		Poll: 5 * time.Minute, Limits: market.Limits{PerDay: 25},
	}, "manual", b.now)
	b.ok(err)
	return id
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// payload makes a batch that is received an hour after the one before.
func (b *bench) payload(series ...market.Series) market.Batch {
	b.now = b.now.Add(time.Hour)
	return b.payloadAt(b.now, series...)
}

func (b *bench) payloadAt(at time.Time, series ...market.Series) market.Batch {
	batch := market.Batch{Series: series, Payload: market.Payload{
		RunID: b.run, Source: "ecb", Resource: "rates.csv", URL: "https://example.com/rates.csv", Status: 200,
		ReceivedAt: at, SHA256: market.SHA256([]byte(at.String())), Size: 1,
	}}
	for _, s := range series {
		batch.Instruments = append(batch.Instruments, instrument(s.Symbol))
	}
	return batch
}

func instrument(symbol string) market.Instrument {
	return market.Instrument{
		Symbol: symbol, Name: "name of " + symbol, Kind: market.FX, Base: "EUR", Quote: symbol[3:],
		Source: "ecb", Calendar: market.TARGET, Licence: market.Public,
	}
}

// load loads a batch that must be accepted.
func (b *bench) load(batch market.Batch) market.Counts {
	b.t.Helper()
	counts, err := b.Load(b.t.Context(), batch, accept)
	b.ok(err)
	return counts
}

func accept(market.Counts) error { return nil }

// series makes daily fixings from alternating dates and prices.
func series(symbol string, pairs ...string) market.Series {
	s := market.Series{Symbol: symbol, Interval: market.Day}
	for i := 0; i < len(pairs); i += 2 {
		s.Bars = append(s.Bars, market.Fixing(day(pairs[i]), price(pairs[i+1])))
	}
	return s
}

func day(text string) market.Date {
	d, err := market.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func price(text string) market.Decimal {
	d, err := market.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// closes returns the closes of a symbol as "2026-03-02=1.1 …", as of a time.
func (b *bench) closes(symbol string, asOf time.Time) string {
	b.t.Helper()
	bars, err := b.Bars(b.t.Context(), market.BarQuery{Symbol: symbol, Interval: market.Day, AsOf: asOf, Limit: 100})
	b.ok(err)
	return written(bars)
}

func written(bars []market.Bar) string {
	text := ""
	for _, bar := range bars {
		if text != "" {
			text += " "
		}
		text += market.Day.Format(bar.Start)[5:] + "=" + bar.Close.String()
	}
	return text
}

func (b *bench) same(what string, got, want any) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// check verifies what must hold of a store at any time.
func (b *bench) check() {
	b.t.Helper()
	Check(b.t.Context(), b.t, b.Store)
}

// Check verifies the invariants of a store: every instrument's figures are those of
// its bars, bars are in order and of open days, every value and every list of actions
// leads to a payload, the versions of a value are in the order of their receipt, each
// different from the one before, and lists are ascending.
func Check(ctx context.Context, t *testing.T, s Store) {
	t.Helper()
	all, err := s.Instruments(ctx, market.InstrumentQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	total := map[string]int64{}
	for _, i := range all {
		bars, err := s.Bars(ctx, market.BarQuery{Symbol: i.Symbol, Interval: market.Day, Limit: 100000})
		if err != nil {
			t.Fatal(err)
		}
		total[i.Source] += int64(len(bars))
		if len(bars) > 0 && (!bars[0].Start.Equal(i.First) || !bars[len(bars)-1].Start.Equal(i.Last)) {
			t.Errorf("%s: first and last are %s and %s, its bars go from %s to %s",
				i.Symbol, i.First, i.Last, bars[0].Start, bars[len(bars)-1].Start)
		}
		for n, bar := range bars {
			if n > 0 && !bar.Start.After(bars[n-1].Start) {
				t.Errorf("%s: bar of %s follows that of %s", i.Symbol, bar.Start, bars[n-1].Start)
			}
			if !i.Calendar.Open(market.DateOf(bar.Start)) {
				t.Errorf("%s: bar of %s, a closed day", i.Symbol, bar.Start)
			}
		}
		// Every value of a small store, a sample of a large one.
		for n := 0; n < len(bars); n += 1 + len(bars)/100 {
			checkVersions(ctx, t, s, i.Symbol, bars[n])
		}
		checkActions(ctx, t, s, i.Symbol)
	}
	status, err := s.Sources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range status {
		if v.Bars < total[v.Name] {
			t.Errorf("%s: says it has %d bars, has %d daily ones", v.Name, v.Bars, total[v.Name])
		}
	}
}

func checkVersions(ctx context.Context, t *testing.T, s Store, symbol string, bar market.Bar) {
	t.Helper()
	versions, err := s.Versions(ctx, symbol, market.Day, bar.Start)
	if err != nil {
		t.Fatal(err)
	}
	if !versions[0].Current || !versions[0].Same(bar) {
		t.Errorf("%s %s: the newest version is not the current value", symbol, bar.Start)
	}
	for i, v := range versions {
		if v.Payload.SHA256 == "" || v.Payload.RunID == 0 || !v.KnownAt.Equal(v.Payload.ReceivedAt) {
			t.Errorf("%s %s: version %d does not lead to the payload that it was known from", symbol, bar.Start, i)
		}
		if i > 0 && (v.Current || !v.KnownAt.Before(versions[i-1].KnownAt) || v.Same(versions[i-1].Bar)) {
			t.Errorf("%s %s: version %d is not an older, different one", symbol, bar.Start, i)
		}
	}
}
