package postgres_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/storetest"
)

// TestConnectionLost cuts all connections after the first message that a run sends,
// after the second, and so on until a run needs no more. Each time an error comes
// back, the load is there whole or not at all, and a run over new connections completes.
func TestConnectionLost(t *testing.T) {
	cuts, whole := 0, 0
	for cut := true; cut; {
		var loaded bool
		t.Run(fmt.Sprint(cuts+1), func(t *testing.T) { cut, loaded = connectionLost(t, cuts+1) })
		if cut {
			cuts++
		}
		if loaded {
			whole++
		}
		if t.Failed() || failed != nil {
			return
		}
	}
	t.Logf("%d cuts; after %d of them the load was there, else nothing of it", cuts, whole)
	if cuts < 20 || whole == 0 || whole == cuts {
		t.Error("the cuts did not come at all moments of a run")
	}
}

// connectionLost cuts after message n of a run. It reports whether there were so many,
// and whether the load was there after the cut.
func connectionLost(t *testing.T, n int) (cut, loaded bool) {
	url := database(t)
	p := newCutter(t, server.Address(), n)
	s := open(t, strings.Replace(url, server.Address(), p.listener.Addr().String(), 1))
	err := wholeRun(t, s, p.finish)
	p.stop()
	if !p.cut {
		must(t, err)
		return false, false
	}
	if err == nil && !p.late {
		t.Error("no error")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hangs: %v", err)
	}
	direct := open(t, url)
	storetest.Check(t.Context(), t, direct)
	loaded = lostBarsOf(t, direct)
	// The server may not have noticed yet that the connection of the lock is gone.
	for err = market.ErrLocked; errors.Is(err, market.ErrLocked) && t.Context().Err() == nil; {
		err = wholeRun(t, direct, func() {})
	}
	must(t, err)
	if !lostBarsOf(t, direct) {
		t.Error("the run that followed did not complete the load")
	}
	storetest.Check(t.Context(), t, direct)
	return true, loaded
}

func lostBarsOf(t *testing.T, s *postgres.Store) bool {
	t.Helper()
	bars, err := s.Bars(t.Context(), market.BarQuery{Symbol: "BTC-USD", Interval: market.Day, Limit: 1000})
	if errors.Is(err, market.ErrNotFound) {
		return false
	}
	if err != nil || len(bars) != lostBars {
		t.Errorf("%d bars, %v", len(bars), err)
	}
	lists, err := s.Actions(t.Context(), "BTC-USD", time.Time{})
	if err != nil || len(lists) != 1 || len(lists[0].Actions) != 1 {
		t.Errorf("actions %+v, %v", lists, err)
	}
	return true
}

const lostBars = 50

// wholeRun is all that a run asks of a store. It calls finished before it gives back
// the lock, of whose loss then nobody is told.
func wholeRun(t *testing.T, s *postgres.Store, finished func()) error {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	release, err := s.Lock(ctx, "coinbase")
	if err != nil {
		return err
	}
	defer release()
	at := time.Now()
	id, err := s.StartRun(ctx, market.Source{Name: "coinbase", Calendar: market.EveryDay, Licence: market.Public}, "manual", at)
	if err != nil {
		return err
	}
	if _, err := s.Coverage(ctx, market.Source{Name: "coinbase"}); err != nil {
		return err
	}
	if _, err := s.Spend(ctx, "coinbase", market.NewDate(2026, 3, 2), 10, at); err != nil {
		return err
	}
	series := market.Series{Symbol: "BTC-USD", Interval: market.Day}
	for d := range lostBars {
		series.Bars = append(series.Bars, market.Fixing(market.NewDate(2025, 1, 1)+market.Date(d), priceOf(d+1)))
	}
	b := batch("coinbase", id, at, series)
	b.Actions = []market.ActionList{{Symbol: "BTC-USD", Kind: market.Split, Actions: []market.Action{{Day: market.NewDate(2025, 1, 2), Value: priceOf(2)}}}}
	counts, err := s.Load(ctx, b, accept)
	if err != nil {
		return err
	}
	if err := s.FinishRun(ctx, market.Run{ID: id, Source: "coinbase", Finished: at, Outcome: market.OK, Counts: counts}, at); err != nil {
		return err
	}
	finished()
	return nil
}

// cutter is a proxy that breaks all its connections once its clients have sent so many
// messages, and takes no more.
type cutter struct {
	listener net.Listener
	to       string
	wg       sync.WaitGroup

	mu      sync.Mutex
	left    int
	over    bool // the run has finished
	cut     bool
	late    bool // it had finished when the cut came
	clients []net.Conn
}

func newCutter(t *testing.T, to string, after int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c := &cutter{listener: l, to: to, left: after}
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.serve(conn) })
		}
	})
	return c
}

func (c *cutter) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

func (c *cutter) stop() {
	c.listener.Close()
	c.mu.Lock()
	for _, conn := range c.clients {
		conn.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	upstream, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer upstream.Close()
	c.mu.Lock()
	c.clients = append(c.clients, client)
	gone := c.cut
	c.mu.Unlock()
	if gone {
		return
	}
	c.wg.Go(func() {
		_, _ = io.Copy(client, upstream)
		client.Close()
	})
	for first := true; ; first = false {
		message, err := readMessage(client, first)
		if err != nil {
			return
		}
		cut := c.count()
		if _, err := upstream.Write(message); err != nil || cut {
			return
		}
	}
}

// readMessage reads one message of a client. The first one has no type.
func readMessage(r io.Reader, first bool) ([]byte, error) {
	header := make([]byte, 5)
	if first {
		header = header[:4]
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(header[len(header)-4:])
	message := make([]byte, len(header)+int(length)-4)
	if _, err := io.ReadFull(r, message[copy(message, header):]); err != nil {
		return nil, err
	}
	return message, nil
}

// count counts a message and reports whether it is one too many. Then all clients have
// been cut off: the server gets the message, and nobody its answer.
func (c *cutter) count() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	if c.left == 0 {
		c.cut, c.late = true, c.over
		c.listener.Close()
		for _, conn := range c.clients {
			conn.Close()
		}
	}
	return c.left <= 0
}
