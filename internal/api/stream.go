package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"bourse/internal/market"
)

const (
	maxStreams    = 1000
	streamBacklog = 64 // changes that a slow client may be behind before it is cut off
	resumeLimit   = 100
	heartbeat     = 15 * time.Second // keeps proxies from closing an idle stream
	writeWait     = 10 * time.Second
	watchAgain    = time.Second
)

// hub hands changes to the clients that listen.
type hub struct {
	mu      sync.Mutex
	clients map[chan market.Change]struct{}
}

func newHub() *hub { return &hub{clients: map[chan market.Change]struct{}{}} }

// join returns a channel of the changes from now on, or nil where too many listen.
// It is closed when its reader falls too far behind.
func (h *hub) join() chan market.Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) >= maxStreams {
		return nil
	}
	c := make(chan market.Change, streamBacklog)
	h.clients[c] = struct{}{}
	return c
}

func (h *hub) leave(c chan market.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

// size is how many listen.
func (h *hub) size() float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return float64(len(h.clients))
}

func (h *hub) send(change market.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		select {
		case c <- change:
		default:
			delete(h.clients, c)
			close(c)
		}
	}
}

// Watch follows the store and feeds the event stream until ctx ends. What fails is
// tried again.
func (a *API) Watch(ctx context.Context) {
	last := int64(-1)
	for ctx.Err() == nil {
		err := a.follow(ctx, &last)
		if ctx.Err() != nil {
			return
		}
		a.cfg.Logger.ErrorContext(ctx, "event stream", "error", err)
		select {
		case <-time.After(watchAgain):
		case <-ctx.Done():
		}
	}
}

// follow sends what changes after the last change, of now where that is negative.
func (a *API) follow(ctx context.Context, last *int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed, err := a.cfg.Store.Watch(ctx)
	if err != nil {
		return err
	}
	if *last < 0 {
		if *last, err = a.cfg.Store.LastChange(ctx); err != nil {
			return err
		}
	}
	for range changed {
		for more := true; more; {
			changes, err := a.cfg.Store.Changes(ctx, *last, resumeLimit)
			if err != nil {
				return err
			}
			for _, c := range changes {
				a.hub.send(c)
				*last = c.Seq
			}
			more = len(changes) == resumeLimit
		}
	}
	return errors.New("the store stopped telling of changes")
}

// stream sends each change as a server-sent event (HTML Living Standard, section
// 9.2). A client that comes back with Last-Event-ID gets what it missed.
func (a *API) stream(w http.ResponseWriter, r *http.Request) {
	if p := read(r); p.err != nil {
		a.tell(w, r, p.err, a.simulated(r.Context()))
		return
	}
	events := a.hub.join()
	if events == nil {
		a.tell(w, r, tooManyStreams.of("", "Try again in a moment."), a.simulated(r.Context()))
		return
	}
	defer a.hub.leave(events)
	missed, err := a.missed(r)
	if err != nil {
		a.tell(w, r, err, a.simulated(r.Context()))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if a.simulated(r.Context()) {
		h.Set(simulatedHeader, "true") // as it begins; each event has a mark of its own
	}
	s := &eventWriter{a: a, r: r, w: w, control: http.NewResponseController(w)}
	if s.text(": listening\n\n") != nil {
		return
	}
	for _, c := range missed {
		if s.event(c) != nil {
			return
		}
	}
	if len(missed) == resumeLimit {
		return // it comes back for the rest; to go on here would leave a gap
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		var err error
		select {
		case c, ok := <-events:
			if !ok {
				return
			}
			err = s.event(c)
		case <-tick.C:
			err = s.text(": still here\n\n")
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (a *API) missed(r *http.Request) ([]market.Change, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		return nil, nil
	}
	last, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, badParameter.of("Last-Event-ID", "%q is not the ID of an event", clip(text))
	}
	return a.cfg.Store.Changes(r.Context(), last, resumeLimit)
}

// eventWriter writes one client's stream.
type eventWriter struct {
	a       *API
	r       *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	last    int64
}

func (s *eventWriter) event(c market.Change) error {
	if c.Seq <= s.last {
		return nil // it was among those missed
	}
	s.last = c.Seq
	licence, err := s.a.licenceOf(s.r.Context(), c.Source)
	if err != nil || callerOf(s.r.Context()).mayRead(c.Source, licence) != nil {
		return err // nothing that this client may see
	}
	data := fmt.Appendf(nil, `{"seq":%d,"source":%q,"bars":[`, c.Seq, c.Source)
	for i, series := range c.Series {
		if i > 0 {
			data = append(data, ',')
		}
		data = fmt.Appendf(data, `{"symbol":%q,"interval":%q,`, series.Symbol, series.Interval)
		bar := appendBar(nil, series.Interval, &series.Bars[0])
		data = append(data, bar[1:]...)
	}
	data = append(data, "]}"...)
	if c.Source == market.Simulated {
		data = markObject(data)
	}
	return s.text(fmt.Sprintf("event: bars\nid: %d\ndata: %s\n\n", c.Seq, data))
}

func (s *eventWriter) text(text string) error {
	// A client that takes nothing would else hold its goroutine for ever.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWait))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
