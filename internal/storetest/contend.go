package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/market"
)

// Contend lets writers compete for the locks of a few sources, and readers watch them,
// for a length of time. All that it checks on the way holds at any moment; after it
// the store must be what the writers made it. open returns another handle on the same
// data each time, as a process of its own has.
func Contend(t *testing.T, open func(t *testing.T) Store, writers, readers int, length time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	c := &contest{t: t, begun: day("2026-03-02").Time()}
	for i := range contestSources {
		c.sources[i] = &contested{name: fmt.Sprintf("source%d", i), symbols: []string{
			fmt.Sprintf("EURA%dX", i), fmt.Sprintf("EURB%dX", i), fmt.Sprintf("EURC%dX", i),
		}}
	}
	store := open(t)
	followed, follow := context.WithCancel(t.Context())
	defer follow()
	told := make(chan int)
	go func() { told <- c.follow(followed, open(t)) }()
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() { c.write(ctx, open(t), n) })
	}
	for range readers {
		wg.Go(func() { c.read(ctx, open(t)) })
	}
	wg.Wait()
	c.inspect(store)
	// The follower has heard of everything when its last signal has come.
	c.last.Store(true)
	if _, err := store.StartRun(t.Context(), market.Source{Name: "last"}, "manual", c.now()); err != nil {
		t.Fatal(err)
	}
	loads := 0
	for _, s := range c.sources {
		loads += s.loads
	}
	if n := <-told; n != loads {
		t.Errorf("told of %d changes, there were %d", n, loads)
	}
	t.Logf("%d loads, %d reads, %d times locked out", loads, c.reads.Load(), c.lockedOut.Load())
	if loads < contestSources || c.reads.Load() == 0 || writers > contestSources && c.lockedOut.Load() == 0 {
		t.Error("there was no contest")
	}
}

const contestSources = 3

// contest is what the writers and readers share.
type contest struct {
	t         *testing.T
	sources   [contestSources]*contested
	begun     time.Time
	clock     atomic.Int64
	reads     atomic.Int64
	lockedOut atomic.Int64
	last      atomic.Bool // nothing more is loaded
}

// contested is one source. All its bars have one price, which grows by one with each
// load, and so do its days, its dividends and what it has spent. Only the holder of its
// lock touches loads.
type contested struct {
	name    string
	symbols []string
	inside  atomic.Int32
	loads   int
}

// now is a clock that never tells a time twice.
func (c *contest) now() time.Time {
	return c.begun.Add(time.Duration(c.clock.Add(1)) * time.Millisecond)
}

func (c *contest) write(ctx context.Context, store Store, n int) {
	for ; ctx.Err() == nil; n++ {
		src := c.sources[n%contestSources]
		release, err := store.Lock(c.t.Context(), src.name)
		if errors.Is(err, market.ErrLocked) {
			c.lockedOut.Add(1)
			continue
		}
		if err != nil {
			c.t.Errorf("lock: %v", err)
			return
		}
		if src.inside.Add(1) != 1 {
			c.t.Errorf("two writers of %s at once", src.name)
		}
		err = c.run(store, src)
		src.inside.Add(-1)
		release()
		if err != nil {
			c.t.Errorf("%s: %v", src.name, err)
			return
		}
	}
}

// run is one run of a source: one more day, and a new price for all days before.
func (c *contest) run(store Store, src *contested) error {
	ctx := c.t.Context()
	id, err := store.StartRun(ctx, market.Source{Name: src.name, Licence: market.Public, Calendar: market.EveryDay}, "manual", c.now())
	if err != nil {
		return err
	}
	have, err := store.Coverage(ctx, market.Source{Name: src.name, Joint: true})
	if err != nil {
		return err
	}
	if n := len(have.Days[""]); n != days(src.loads) {
		return fmt.Errorf("%d loads left %d days", src.loads, n)
	}
	if err := c.spend(store, src); err != nil {
		return err
	}
	want := market.Counts{}
	at := c.now()
	b := market.Batch{Payload: market.Payload{
		RunID: id, Source: src.name, Resource: "all", ReceivedAt: at, SHA256: market.SHA256([]byte(at.String())), Size: 1,
	}}
	for _, symbol := range src.symbols {
		b.Instruments = append(b.Instruments, market.Instrument{
			Symbol: symbol, Kind: market.FX, Source: src.name, Calendar: market.EveryDay, Licence: market.Public,
		})
		s := market.Series{Symbol: symbol, Interval: market.Day}
		for d := range days(src.loads + 1) {
			s.Bars = append(s.Bars, market.Fixing(market.DateOf(c.begun)+market.Date(d), price(fmt.Sprint(src.loads+1))))
		}
		b.Series = append(b.Series, s)
		b.Actions = append(b.Actions, list(symbol, market.Dividend, "2026-03-02", fmt.Sprint(src.loads+1)))
		want.Bars += len(s.Bars) + 1
	}
	want.Revised = (days(src.loads) + min(src.loads, 1)) * len(src.symbols)
	want.Inserted = want.Bars - want.Revised
	counts, err := store.Load(ctx, b, accept)
	if err != nil {
		return err
	}
	if counts != want {
		return fmt.Errorf("load %d: got %+v, want %+v", src.loads+1, counts, want)
	}
	src.loads++
	return store.FinishRun(ctx, market.Run{ID: id, Source: src.name, Finished: c.now(), Outcome: market.OK, Counts: counts}, c.now())
}

// spend takes the one request that is left.
func (c *contest) spend(store Store, src *contested) error {
	today := market.DateOf(c.begun)
	if _, err := store.Spend(c.t.Context(), src.name, today, src.loads+1, c.now()); err != nil {
		return err
	}
	if _, err := store.Spend(c.t.Context(), src.name, today, src.loads+1, c.now()); !errors.Is(err, market.ErrQuota) {
		return fmt.Errorf("one request more than %d: got %v, want ErrQuota", src.loads+1, err) //nolint:errorlint // it may be nil
	}
	return nil
}

// days is how many days a source has after some loads: a few at first, and one more
// with each, up to two years.
func days(loads int) int {
	if loads == 0 {
		return 0
	}
	return min(20+loads, 730)
}

// read makes sure that each read sees whole loads, and none older than the one before.
func (c *contest) read(ctx context.Context, store Store) {
	newest := map[string]int{}
	for ctx.Err() == nil {
		src := c.sources[rand.IntN(contestSources)]
		symbol := src.symbols[rand.IntN(len(src.symbols))]
		bars, err := store.Bars(c.t.Context(), market.BarQuery{Symbol: symbol, Interval: market.Day, Limit: 10000})
		if errors.Is(err, market.ErrNotFound) && newest[symbol] == 0 {
			continue // nothing has been loaded yet
		}
		if err != nil || len(bars) == 0 {
			c.t.Errorf("%s: %d bars, %v", symbol, len(bars), err)
			return
		}
		c.reads.Add(1)
		n, _, _ := bars[0].Close.Int64(0)
		if len(bars) != days(int(n)) || int(n) < newest[symbol] {
			c.t.Errorf("%s: %d bars of load %d after load %d", symbol, len(bars), n, newest[symbol])
			return
		}
		newest[symbol] = int(n)
		for _, bar := range bars {
			if !bar.Same(bars[0]) {
				c.t.Errorf("%s: saw half a load: %s and %s", symbol, bar.Close, bars[0].Close)
				return
			}
		}
	}
}

// follow counts the changes as the event stream would, until all are loaded.
func (c *contest) follow(ctx context.Context, store Store) (told int) {
	signals, err := store.Watch(ctx)
	if err != nil {
		c.t.Errorf("watch: %v", err)
		return 0
	}
	last := int64(0)
	for range signals {
		all := c.last.Load()
		for {
			changes, err := store.Changes(ctx, last, 10)
			if err != nil {
				c.t.Errorf("changes: %v", err)
				return told
			}
			for _, change := range changes {
				if change.Seq <= last {
					c.t.Errorf("change %d follows %d", change.Seq, last)
				}
				last = change.Seq
			}
			told += len(changes)
			if len(changes) < 10 {
				break
			}
		}
		if all {
			return told
		}
	}
	return told
}

// inspect compares the store with what the writers did.
func (c *contest) inspect(store Store) {
	ctx := c.t.Context()
	Check(ctx, c.t, store)
	for _, src := range c.sources {
		for _, symbol := range src.symbols {
			versions, err := store.Versions(ctx, symbol, market.Day, c.begun)
			if err != nil || len(versions) != src.loads || versions[0].Close.String() != fmt.Sprint(src.loads) {
				c.t.Errorf("%s: %d versions after %d loads, %v", symbol, len(versions), src.loads, err)
			}
			lists, err := store.Actions(ctx, symbol, time.Time{})
			if err != nil || len(lists) != 1 || lists[0].Actions[0].Value.String() != fmt.Sprint(src.loads) {
				c.t.Errorf("%s: actions %+v after %d loads, %v", symbol, lists, src.loads, err)
			}
		}
	}
	runs, err := store.Runs(ctx, market.RecordQuery{Limit: 1 << 20})
	if err != nil {
		c.t.Error(err)
	}
	for _, r := range runs {
		if r.Outcome != market.OK {
			c.t.Errorf("run %d of %s came to %q", r.ID, r.Source, r.Outcome)
		}
	}
}
