package alerts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres"
	"bourse/internal/postgres/pgtest"
	"bourse/internal/promtest"

	"github.com/jackc/pgx/v5"
)

// parts are the parts on their own: two replicas of the API, the dashboard, and runs of the
// sources that are started on a schedule, as on a cluster.
type parts struct {
	t        *testing.T
	bin      string
	env      []string
	database string
	admin    []string // addresses of api, api and web
	second   *program // the second replica
}

func newParts(t *testing.T, bin string, server *pgtest.Server) *parts {
	p := &parts{t: t, bin: bin, database: server.URL(server.Database(t, ""))}
	p.env = []string{"BOURSE_DATABASE_URL=" + p.database, "BOURSE_DATA_DIR=" + t.TempDir()}
	migrate := exec.Command(filepath.Join(bin, "migrate"))
	migrate.Env = append(os.Environ(), p.env...)
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v: %s", err, out)
	}
	add := func(name string, more ...string) (addr string, of *program) {
		addr, admin := promtest.FreeAddress(t), promtest.FreeAddress(t)
		env := slices.Concat(p.env, more, []string{"BOURSE_ADDR=" + addr, "BOURSE_ADMIN_ADDR=" + admin})
		of = start(t, env, filepath.Join(bin, name))
		await(t, time.Minute, name+" is ready", func() bool { return reach("http://" + addr + "/readyz") })
		p.admin = append(p.admin, admin)
		return addr, of
	}
	first, _ := add("api")
	_, p.second = add("api")
	add("web", "BOURSE_API_URL=http://"+first)
	return p
}

// schedule starts runs of a source, as a CronJob does, while it is not paused.
type schedule struct {
	parts  *parts
	source string
	up     *upstream
	mu     sync.Mutex
	more   []string // of the environment
	paused bool
}

// every runs a source at once and then again and again, until the test ends.
func (p *parts) every(period time.Duration, source string, up *upstream, more ...string) *schedule {
	s := &schedule{parts: p, source: source, up: up, more: more}
	var loop sync.WaitGroup
	ctx, cancel := context.WithCancel(p.t.Context())
	p.t.Cleanup(func() { cancel(); loop.Wait() })
	loop.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			s.run(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return s
}

func (s *schedule) run(ctx context.Context) {
	s.mu.Lock()
	paused, more := s.paused, s.more
	s.mu.Unlock()
	if paused {
		return
	}
	s.up.follow(s.parts.t, s.source)
	cmd := exec.CommandContext(ctx, filepath.Join(s.parts.bin, "ingest"), "-source", s.source)
	cmd.Env = slices.Concat(os.Environ(), s.parts.env, s.up.env(), more)
	_ = cmd.Run() // runs are to fail here
}

func (s *schedule) pause(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = paused
}

func (s *schedule) set(more ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = more
}

// ecb is the track of the ECB.
func (p *parts) ecb(d *drill) {
	up := newUpstream(p.t)
	mend := func() { up.Mend() }
	src := market.Source{Calendar: market.TARGET, PublishAt: 16 * time.Hour, Zone: "Europe/Berlin"}
	now := time.Now()
	d.noticeable(fault{
		order: 1, what: "the ECB's newest day does not come", namespace: "sources", alert: "BourseSourceStale", source: "ecb", within: 3 * time.Minute,
		begin: func() {
			up.setLate("ecb", now.Sub(src.Published(src.Expected(now)))+time.Hour)
			p.every(10*time.Second, "ecb", up)
		},
		end: func() { up.setLate("ecb", 0) },
	})
	d.noticeable(fault{
		order: 2, what: "the ECB sends a negative rate", namespace: "sources", alert: "BourseQuarantineGrowing", source: "ecb", within: time.Minute,
		begin: func() { up.Break("ecb", "negative-price", "", 0) }, end: mend, slow: true,
	})
	d.noticeable(fault{
		order: 4, what: "the ECB answers with a web page", namespace: "sources", alert: "BourseSourceRefused", source: "ecb", within: 2 * time.Minute,
		begin: func() { up.Break("ecb", "html", "", 0) }, end: mend,
	})
	d.noticeable(fault{
		order: 7, what: "the ECB does not answer in time", namespace: "sources", alert: "BourseRunsFailing", source: "ecb", within: 5 * time.Minute,
		begin: func() { up.Break("ecb", "timeout", "", 0) }, end: mend,
	})
}

// coinbase is the track of Coinbase.
func (p *parts) coinbase(d *drill) {
	up := newUpstream(p.t)
	mend := func() { up.Mend() }
	p.every(5*time.Second, "coinbase", up)
	await(p.t, 2*time.Minute, "Coinbase has been read", func() bool { return p.outcome("coinbase") == "ok" })
	d.noticeable(fault{
		order: 8, what: "Coinbase answers 500", namespace: "sources", alert: "BourseRunsFailing", source: "coinbase", within: 2 * time.Minute,
		begin: func() { up.Break("coinbase", "status500", "", 0) }, end: mend,
	})
	d.noticeable(fault{
		order: 5, what: "Coinbase changes its format", namespace: "sources", alert: "BourseSourceRefused", source: "coinbase", within: 2 * time.Minute,
		begin: func() { up.Break("coinbase", "schema-drift", "", 0) }, end: mend,
	})
	d.noticeable(fault{
		order: 3, what: "Coinbase sends a row of days to come", namespace: "sources", alert: "BourseQuarantineGrowing", source: "coinbase", within: 2 * time.Minute,
		begin: func() { up.Break("coinbase", "future-row", "", 0) }, end: mend, slow: true,
	})
	release := func() {}
	d.noticeable(fault{
		order: 10, what: "another process holds the lock of Coinbase, and hangs", namespace: "sources", alert: "BourseRunsMissing", source: "coinbase", within: 8 * time.Minute,
		begin: func() { release = p.hold("coinbase") }, end: func() { release() },
	})
}

// hold takes the lock of a source, as another process would.
func (p *parts) hold(source string) (release func()) {
	store, err := postgres.Open(p.t.Context(), p.database)
	if err != nil {
		p.t.Error(err)
		return func() {}
	}
	unlock := func() {}
	await(p.t, time.Minute, "the lock is free", func() bool {
		unlock, err = store.Lock(p.t.Context(), source)
		return err == nil
	})
	return func() { unlock(); _ = store.Close() }
}

// alphavantage is the track of Alpha Vantage.
func (p *parts) alphavantage(d *drill) {
	up := newUpstream(p.t)
	const refused, one = "BOURSE_ALPHAVANTAGE_KEY=demo", "BOURSE_ALPHAVANTAGE_REQUESTS=1"
	var runs *schedule
	d.noticeable(fault{
		order: 6, what: "Alpha Vantage refuses the key", namespace: "sources", alert: "BourseSourceRefused", source: "alphavantage", within: 2 * time.Minute,
		begin: func() {
			runs = p.every(10*time.Second, "alphavantage", up, refused, "BOURSE_ALPHAVANTAGE_REQUESTS=100")
		},
		end: func() {
			runs.set(one)
			p.exec("DELETE FROM payloads WHERE source = 'alphavantage'") // what failed is asked again after 90 minutes, for which nobody waits here
		},
	})
	d.noticeable(fault{
		order: 9, what: "the quota of Alpha Vantage is used up", namespace: "sources", alert: "BourseQuotaSpent", source: "alphavantage", within: 2 * time.Minute,
		begin: func() {}, end: func() { runs.set("BOURSE_ALPHAVANTAGE_REQUESTS=200") },
	})
	d.noticeable(fault{
		order: 11, what: "the store has forgotten a run of Alpha Vantage", namespace: "sources", alert: "BourseRunsUnknown", source: "alphavantage", within: 2 * time.Minute,
		begin: func() {
			runs.pause(true)
			await(p.t, time.Minute, "no run is under way", func() bool { return p.outcome("alphavantage") == "ok" })
			p.exec("UPDATE sources SET next_run = NULL WHERE name = 'alphavantage'")
		},
		end: func() { runs.pause(false) },
	})
}

// replicas is the track of the API's second replica.
func (p *parts) replicas(d *drill) {
	d.noticeable(fault{
		order: 12, what: "one of two replicas of the API is killed", namespace: "sources", alert: "BourseReplicasMissing", within: 2 * time.Minute,
		begin: p.second.kill, end: p.second.again,
	})
}

// outcome is that of the newest run of a source that ended.
func (p *parts) outcome(source string) string {
	var outcome string
	p.query(`SELECT coalesce((SELECT outcome FROM runs WHERE source = $1 AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1), '')`, source, &outcome)
	return outcome
}

func (p *parts) query(statement, arg string, into any) {
	conn, err := pgx.Connect(p.t.Context(), p.database)
	if err == nil {
		err = conn.QueryRow(p.t.Context(), statement, arg).Scan(into)
		_ = conn.Close(p.t.Context())
	}
	if err != nil && p.t.Context().Err() == nil {
		p.t.Error(err)
	}
}

func (p *parts) exec(statement string) { execute(p.t, p.database, statement) }

func execute(t *testing.T, database, statement string) {
	conn, err := pgx.Connect(t.Context(), database)
	if err == nil {
		_, err = conn.Exec(t.Context(), statement)
		_ = conn.Close(t.Context())
	}
	if err != nil {
		t.Error(fmt.Errorf("%s: %w", statement, err))
	}
}
