package alerts

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// forwarder passes connections on to a server, until it is cut, and answers late when told.
type forwarder struct {
	listener net.Listener
	to       string
	down     atomic.Bool
	delay    atomic.Int64 // of each piece of an answer
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// forward starts one for the length of a test.
func forward(t *testing.T, to string) *forwarder {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &forwarder{listener: listener, to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() { listener.Close(); f.cut() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go f.pass(from)
		}
	}()
	return f
}

func (f *forwarder) address() string { return f.listener.Addr().String() }

func (f *forwarder) pass(from net.Conn) {
	defer from.Close()
	if f.down.Load() {
		return
	}
	to, err := net.Dial("tcp", f.to)
	if err != nil {
		return
	}
	defer to.Close()
	f.mu.Lock()
	f.open[from] = true
	f.mu.Unlock()
	go func() {
		_, _ = io.Copy(to, from)
		to.Close()
	}()
	piece := make([]byte, 64<<10)
	for {
		n, err := to.Read(piece)
		if late := time.Duration(f.delay.Load()); n > 0 && late > 0 {
			<-time.After(late)
		}
		if _, failed := from.Write(piece[:n]); err != nil || failed != nil {
			break
		}
	}
	f.mu.Lock()
	delete(f.open, from)
	f.mu.Unlock()
}

// cut breaks what is open, and refuses what comes.
func (f *forwarder) cut() {
	f.down.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		conn.Close()
	}
}

func (f *forwarder) mend() { f.down.Store(false) }
