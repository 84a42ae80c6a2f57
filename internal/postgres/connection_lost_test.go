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
	url := database(t)
	direct := open(t, url)
	cuts, whole := 0, 0
	for n := 1; ; n++ {
		symbol := fmt.Sprintf("CUT%d-USD", n)
		p := newCutter(t, server.Address(), n)
		s := open(t, strings.Replace(url, server.Address(), p.listener.Addr().String(), 1))
		err := wholeRun(t, s, symbol)
		p.stop()
		if !p.wasCut() {
			must(t, err)
			break
		}
		cuts++
		if err == nil && !p.wasDone() {
			t.Errorf("cut after message %d: no error", n)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cut after message %d: hangs: %v", n, err)
		}
		storetest.Check(t.Context(), t, direct)
		bars, err := direct.Bars(t.Context(), market.BarQuery{Symbol: symbol, Interval: market.Day, Limit: 1000})
		if err == nil && len(bars) == lostBars {
			whole++
		} else if !errors.Is(err, market.ErrNotFound) {
			t.Errorf("cut after message %d: %d bars, %v", n, len(bars), err)
		}
		// Where only the lock's connection was left, the server still frees the lock.
		for err = market.ErrLocked; errors.Is(err, market.ErrLocked) && t.Context().Err() == nil; {
			err = wholeRun(t, direct, symbol)
		}
		must(t, err)
		if bars, err = direct.Bars(t.Context(), market.BarQuery{Symbol: symbol, Interval: market.Day, Limit: 1000}); err != nil || len(bars) != lostBars {
			t.Errorf("after the run that followed cut %d: %d bars, %v", n, len(bars), err)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d cuts; after %d of them the load was there, else nothing of it", cuts, whole)
	if cuts < 20 || whole == 0 || whole == cuts {
		t.Error("the cuts did not come at all moments of a run")
	}
}

const lostBars = 300

// wholeRun is all that a run asks of a store.
func wholeRun(t *testing.T, s *postgres.Store, symbol string) error {
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
	if _, err := s.Coverage(ctx, "coinbase"); err != nil {
		return err
	}
	series := market.Series{Symbol: symbol, Interval: market.Day}
	for d := range lostBars {
		series.Bars = append(series.Bars, market.Fixing(market.NewDate(2025, 1, 1)+market.Date(d), priceOf(d+1)))
	}
	counts, err := s.Load(ctx, batch("coinbase", id, at, series), accept)
	if err != nil {
		return err
	}
	return s.FinishRun(ctx, market.Run{ID: id, Source: "coinbase", Finished: at, Outcome: market.OK, Counts: counts}, at)
}

// cutter is a proxy that breaks all its connections once its clients have sent so many
// messages, and takes no more.
type cutter struct {
	listener net.Listener
	to       string
	wg       sync.WaitGroup

	mu    sync.Mutex
	left  int
	cut   bool
	last  byte // the type of the message before the cut
	conns []net.Conn
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

func (c *cutter) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// wasDone reports whether the cut came after a goodbye, which nobody misses.
func (c *cutter) wasDone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last == 'X' || c.last == 0
}

func (c *cutter) stop() {
	c.listener.Close()
	c.mu.Lock()
	for _, conn := range c.conns {
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
	c.conns = append(c.conns, client, upstream)
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
		kind, message, err := readMessage(client, first)
		if err != nil {
			return
		}
		if _, err := upstream.Write(message); err != nil || !c.count(kind) {
			return
		}
	}
}

// readMessage reads one message of a client. The first one has no type.
func readMessage(r io.Reader, first bool) (kind byte, message []byte, err error) {
	header := make([]byte, 5)
	if first {
		header = header[:4]
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(header[len(header)-4:])
	message = append(header, make([]byte, length-4)...)
	if _, err := io.ReadFull(r, message[len(header):]); err != nil {
		return 0, nil, err
	}
	if !first {
		kind = header[0]
	}
	return kind, message, nil
}

// count counts a message and breaks all connections after the last one.
func (c *cutter) count(kind byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	if c.left > 0 {
		return true
	}
	if !c.cut {
		c.cut, c.last = true, kind
		c.listener.Close()
		for _, conn := range c.conns {
			conn.Close()
		}
	}
	return false
}
