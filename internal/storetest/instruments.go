package storetest

import (
	"errors"
	"testing"
	"time"

	"bourse/internal/market"
)

// named loads an instrument of which at first no more than the symbol is known.
func named(t *testing.T, b *bench) {
	load := func(i market.Instrument, list ...market.Series) market.Instrument {
		t.Helper()
		batch := b.payload(list...)
		batch.Instruments = []market.Instrument{i}
		b.load(batch)
		stored, err := b.Instrument(t.Context(), i.Symbol)
		b.ok(err)
		stored.First, stored.Last = time.Time{}, time.Time{}
		return stored
	}
	nameless := market.Instrument{
		Symbol: "AAPL", Kind: market.Equity, Base: "AAPL", Quote: "USD", Source: "ecb", Calendar: market.TARGET, Licence: market.Internal,
	}
	want := nameless
	want.Name = "AAPL"
	b.same("without a name", load(nameless, series("AAPL", "2026-03-02", "1")), want)
	told, err := b.LastChange(t.Context())
	b.ok(err)
	before, err := b.Version(t.Context())
	b.ok(err)
	apple := want
	apple.Name = "Apple Inc"
	b.same("with its name", load(apple), apple)
	version, err := b.Version(t.Context())
	b.ok(err)
	b.same("changed by a name", version != before, true)
	last, err := b.LastChange(t.Context())
	b.ok(err)
	b.same("last change", last, told)
	nameless.Kind, nameless.Quote = market.Crypto, "EUR"
	b.same("without a name again", load(nameless, series("AAPL", "2026-03-03", "1")), apple)
	for what, i := range map[string]market.Instrument{
		"name":     {Name: "Apple", Kind: market.Equity, Base: "AAPL", Quote: "USD", Calendar: market.TARGET, Licence: market.Internal},
		"kind":     {Name: "Apple", Kind: market.Crypto, Base: "AAPL", Quote: "USD", Calendar: market.TARGET, Licence: market.Internal},
		"base":     {Name: "Apple", Kind: market.Crypto, Base: "A", Quote: "USD", Calendar: market.TARGET, Licence: market.Internal},
		"quote":    {Name: "Apple", Kind: market.Crypto, Base: "A", Quote: "EUR", Calendar: market.TARGET, Licence: market.Internal},
		"calendar": {Name: "Apple", Kind: market.Crypto, Base: "A", Quote: "EUR", Calendar: market.EveryDay, Licence: market.Internal},
		"licence":  {Name: "Apple", Kind: market.Crypto, Base: "A", Quote: "EUR", Calendar: market.EveryDay, Licence: market.Public},
	} {
		i.Symbol, i.Source = "AAPL", "ecb"
		b.same("another "+what, load(i), i)
	}
	b.same("bars", b.closes("AAPL", time.Time{}), "03-02=1 03-03=1")
	other := b.payload()
	other.Payload.RunID, other.Payload.Source = b.begin("coinbase"), "coinbase"
	stolen := apple
	stolen.Source, stolen.Name = "coinbase", "stolen"
	other.Instruments = []market.Instrument{stolen}
	if _, err := b.Load(t.Context(), other, accept); err == nil {
		t.Error("an instrument of another source was renamed")
	}
}

// lookedUp loads a real instrument before any of its bars.
func lookedUp(t *testing.T, b *bench) {
	run := b.begin(market.Simulated)
	invented := b.payload(series("SIM-EURUSD", "2026-03-02", "1"))
	invented.Payload.Source, invented.Payload.RunID, invented.Instruments[0].Source = market.Simulated, run, market.Simulated
	invented.Actions = []market.ActionList{list("SIM-EURUSD", market.Split, "2026-03-02", "2")}
	b.load(invented)
	b.same("simulated", b.known("SIM-EURUSD", time.Time{}), "split: 03-02=2")
	b.load(b.payload()) // brings nothing
	b.same("simulated after nothing", b.known("SIM-EURUSD", time.Time{}), "split: 03-02=2")
	real := b.payload()
	real.Instruments = []market.Instrument{instrument("EURUSD")}
	b.load(real)
	_, err := b.Actions(t.Context(), "SIM-EURUSD", time.Time{})
	b.same("simulated is gone", errors.Is(err, market.ErrNotFound), true)
	b.same("bars", b.closes("EURUSD", time.Time{}), "")
	invented.Payload.RunID = b.begin(market.Simulated)
	if _, err := b.Load(t.Context(), invented, accept); !errors.Is(err, market.ErrRealData) {
		t.Errorf("simulated data beside a real instrument: got %v, want ErrRealData", err)
	}
}
