package drills

import (
	"context"
	"io"
	"net"
	"sync"
)

// gate lets pods reach a server that listens on the host's loopback only, and can be
// closed.
type gate struct {
	address string // that pods reach
	mu      sync.Mutex
	closed  bool
	open    map[net.Conn]bool
}

// open opens a gate to a server.
func (c *cluster) open(ctx context.Context, server string) (*gate, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(c.host, "0"))
	if err != nil {
		return nil, err
	}
	g := &gate{address: listener.Addr().String(), open: map[net.Conn]bool{}}
	c.servers = append(c.servers, listener.Close)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go g.pass(ctx, conn, server)
		}
	}()
	return g, nil
}

func (g *gate) pass(ctx context.Context, conn net.Conn, server string) {
	defer conn.Close()
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return
	}
	g.open[conn] = true
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, conn)
	}()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		_, _ = io.Copy(to, conn)
		_ = to.Close()
	}()
	_, _ = io.Copy(conn, to)
}

// set opens or closes the gate. Closed, it cuts all connections and refuses new ones.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = !open
	if !open {
		for conn := range g.open {
			_ = conn.Close()
		}
	}
}
