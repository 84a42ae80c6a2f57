package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// commits is the channel on which each commit is notified, with the name of the store
// that made it.
const commits = "bourse_commits"

const (
	// listenPing is how often a connection that is silent is asked whether it lives.
	listenPing = time.Second
	// listenSilence is how long one may have given no sign of life before what it has
	// told counts as out of date. So no answer that is kept is older than that, even
	// where a network loses packets without a word.
	listenSilence = 3 * time.Second
	// How long to wait before connecting again, at first and at most.
	listenAgain    = 100 * time.Millisecond
	listenAgainMax = 5 * time.Second
)

// listener hears of commits over a connection of its own, which it opens when someone
// first asks for it and opens again when it breaks.
type listener struct {
	server *server
	name   string // of the store, in its notifications
	stop   context.CancelFunc
	begin  sync.Once
	tried  chan struct{} // closed after the first attempt to connect

	mu       sync.Mutex
	version  int64     // how many commits it has heard of, and how many it may have missed
	alive    time.Time // the last sign of life; zero while it is not connected
	closed   bool
	watchers map[chan struct{}]struct{}
}

func newListener(server *server) *listener {
	return &listener{
		server: server, name: rand.Text(), tried: make(chan struct{}), stop: func() {},
		watchers: map[chan struct{}]struct{}{},
	}
}

func (l *listener) start() {
	l.begin.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.closed {
			cancel()
		}
		l.stop = cancel
		go l.run(ctx)
	})
}

// close ends the listener and closes the channels of all who watch.
func (l *listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.stop()
	for c := range l.watchers {
		delete(l.watchers, c)
		close(c)
	}
}

// run connects and listens until ctx ends.
func (l *listener) run(ctx context.Context) {
	tried := sync.OnceFunc(func() { close(l.tried) })
	defer tried()
	wait := listenAgain
	for ctx.Err() == nil {
		conn, err := l.connect(ctx)
		tried()
		if err == nil {
			wait = listenAgain
			l.listen(ctx, conn)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, listenAgainMax)
	}
}

// connect begins to listen. What was committed before may have gone unheard, so all
// are told that something was.
func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := l.server.connect(ctx, "listen")
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `LISTEN `+commits); err != nil {
		closed(conn)
		return nil, fmt.Errorf("listen: %w", err)
	}
	l.lives()
	l.changed()
	return conn, nil
}

// listen tells of commits until the connection or ctx ends.
func (l *listener) listen(ctx context.Context, conn *pgx.Conn) {
	defer closed(conn)
	for {
		n, err := within(ctx, conn.WaitForNotification)
		switch {
		case err == nil && n.Payload == l.name:
			l.signal() // the version has been changed already
		case err == nil:
			l.changed()
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			// Silence is what is usual.
			if _, err := within(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, conn.Ping(ctx) }); err != nil {
				l.dies()
				return
			}
		default:
			l.dies()
			return
		}
		l.lives()
	}
}

func within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, listenPing)
	defer cancel()
	return f(ctx)
}

func (l *listener) lives() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alive = time.Now()
}

func (l *listener) dies() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alive = time.Time{}
}

// changed counts a commit and signals it.
func (l *listener) changed() {
	l.mu.Lock()
	l.version++
	l.mu.Unlock()
	l.signal()
}

func (l *listener) signal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.watchers {
		select {
		case c <- struct{}{}:
		default: // its reader has yet to take the one before
		}
	}
}

// Version changes whenever something is committed, by this store at once, by others as
// soon as the server has told of it: a moment, at most listenSilence. While nothing
// can be heard there is no version.
func (s *Store) Version(ctx context.Context) (int64, error) {
	l := s.listener
	l.start()
	select {
	case <-l.tried:
	case <-ctx.Done():
		return 0, fmt.Errorf("version: %w", ctx.Err())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.alive) > listenSilence {
		return 0, errors.New("version: not connected to hear of commits")
	}
	return l.version, nil
}

// Watch returns a channel that receives after each commit, by anyone. Commits that
// come close together may share a signal. There is one to begin with, and one each
// time that the connection was lost and is back, so that nothing is missed. The
// channel is closed when ctx ends or the store does.
func (s *Store) Watch(ctx context.Context) (<-chan struct{}, error) {
	l := s.listener
	l.start()
	c := make(chan struct{}, 1)
	c <- struct{}{}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		close(c)
		return c, nil
	}
	l.watchers[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, ok := l.watchers[c]; ok {
			delete(l.watchers, c)
			close(c)
		}
	})
	return c, nil
}
