package alerts

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"bourse/internal/postgres/pgtest"
	"bourse/internal/promtest"
)

// system is the one process, on a PostgreSQL that can be cut off, while readers read.
type system struct {
	t        *testing.T
	up       *upstream
	dir      string
	database string // not through the forwarder
	store    *forwarder
	addr     string
	admin    string
	process  *program
}

func newSystem(t *testing.T, bin string, server *pgtest.Server) *system {
	s := &system{t: t, up: newUpstream(t), dir: t.TempDir(), addr: promtest.FreeAddress(t), admin: promtest.FreeAddress(t)}
	s.up.keepUp(t)
	name := server.Database(t, "")
	s.database, s.store = server.URL(name), forward(t, server.Address())
	database := "postgres://bourse@" + s.store.address() + "/" + name + "?sslmode=disable"
	s.process = start(t, slices.Concat(s.up.env(), []string{
		"BOURSE_DATABASE_URL=" + database, "BOURSE_DATA_DIR=" + s.dir, "BOURSE_ADDR=" + s.addr, "BOURSE_ADMIN_ADDR=" + s.admin,
	}), filepath.Join(bin, "bourse"))
	await(t, time.Minute, "bourse is ready", func() bool { return reach("http://" + s.addr + "/readyz") })
	await(t, 3*time.Minute, "the ECB has been read", func() bool { return reach("http://" + s.addr + "/api/v1/bars/EURUSD") })
	read(t, s.addr, 10)
	return s
}

// read lets readers read until the test ends: so many requests a second, hardly one like
// another, so that the store is asked.
func read(t *testing.T, addr string, perSecond int) {
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	t.Cleanup(func() { cancel(); readers.Wait() })
	readers.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for n := 0; ; n++ {
			day := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n%7000)
			path := []string{
				fmt.Sprintf("/api/v1/bars/EURUSD?limit=%d&from=%s", 1+n%900, day.Format(time.DateOnly)),
				fmt.Sprintf("/api/v1/bars/EURCHF?limit=%d&from=%s&format=csv", 1+n%700, day.Format(time.DateOnly)),
				"/api/v1/actions/EURUSD?as_of=" + day.Format(time.RFC3339),
				"/api/v1/convert?from=USD&to=JPY&amount=1&date=" + day.Format(time.DateOnly),
				"/api/v1/quotes?symbols=EURUSD,EURJPY",
				"/api/v1/bars/NOSUCH",
				"/",
			}[n%7]
			readers.Go(func() { ask(ctx, "http://"+addr+path) })
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// ask reads an answer, whatever it is.
func ask(ctx context.Context, address string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	resp, err := client.Do(r)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// faults is the track of the process, its store and its archive.
func (s *system) faults(d *drill) {
	in := func(f fault) fault {
		f.namespace = "serving"
		if f.within == 0 {
			f.within = 2 * time.Minute
		}
		return f
	}
	rename := func(from, to string) func() {
		return func() { execute(s.t, s.database, "ALTER TABLE "+from+" RENAME TO "+to) }
	}
	d.noticeable(in(fault{
		order: 20, what: "bourse is killed", alert: "BourseDown", begin: s.process.kill, end: s.process.again,
	}))
	d.noticeable(in(fault{
		order: 21, what: "bourse hangs", alert: "BourseDown", begin: s.process.hang, end: s.process.resume,
	}))
	d.noticeable(in(fault{
		order: 24, what: "reads answer 500: the table of bars is gone", alert: "BourseReadsFailing", severity: "critical",
		begin: rename("bars", "bars_gone"), end: rename("bars_gone", "bars"),
	}))
	d.noticeable(in(fault{
		order: 23, what: "one route answers 500: its table is gone", alert: "BourseRouteFailing",
		begin: rename("actions", "actions_gone"), end: rename("actions_gone", "actions"),
	}))
	d.noticeable(in(fault{
		order: 27, what: "one in seven operations of the store fails", alert: "BourseStoreFailing",
		begin: rename("actions", "actions_gone"), end: rename("actions_gone", "actions"),
	}))
	d.noticeable(in(fault{
		order: 25, what: "the store answers 300 ms late", alert: "BourseReadsSlow", severity: "critical",
		begin: func() { s.store.delay.Store(int64(300 * time.Millisecond)) }, end: func() { s.store.delay.Store(0) },
	}))
	d.noticeable(in(fault{
		order: 26, what: "the store is cut off", alert: "BourseStoreDown", begin: s.store.cut, end: s.store.mend,
	}))
	objects := filepath.Join(s.dir, "archive", "coinbase")
	d.noticeable(in(fault{
		order: 28, what: "the archive cannot be written", alert: "BourseArchiveFailing",
		begin: func() { s.move(objects, objects+".away", "no folder"); s.process.restart() },
		end:   func() { s.move(objects+".away", objects, ""); s.process.restart() },
	}))
	d.noticeable(in(fault{
		order: 29, what: "an upstream answers 500", alert: "BourseUpstreamFailing", source: "coinbase",
		begin: func() {
			s.up.Break("coinbase", "status500", "", 0)
			for range 3 { // it tries thrice, and again in 2 minutes, which is longer than what the scaled rule looks back on
				s.restartAndWait(5 * time.Second)
			}
		},
		end: func() { s.up.Mend(); s.process.restart() },
	}))
	d.noticeable(in(fault{
		order: 22, what: "bourse ends again and again", alert: "BourseRestarting",
		begin: func() {
			for range 4 {
				s.restartAndWait(2 * time.Second)
			}
		},
		end: func() {},
	}))
}

// restartAndWait starts the process again, and lets Prometheus see what it does for a while.
func (s *system) restartAndWait(while time.Duration) {
	s.process.restart()
	await(s.t, 10*time.Second, "it is up", func() bool { return reach("http://" + s.admin + "/metrics") })
	<-time.After(while)
}

// move renames a folder, and leaves a file in its place where it has a text.
func (s *system) move(from, to, text string) {
	_ = os.Remove(to) // the file, where there is one
	if err := os.Rename(from, to); err != nil {
		s.t.Error(err)
	}
	if text != "" {
		writeFile(s.t, from, text)
	}
}
