package postgres_test

import (
	"errors"
	"testing"
	"time"

	"bourse/internal/market"
)

// TestLockLost ends the session of a lock, as a failover does. Another writer gets the
// lock, and the one that lost it loads no more.
func TestLockLost(t *testing.T) {
	url := database(t)
	s, other := open(t, url), open(t, url)
	release, err := s.Lock(t.Context(), "coinbase")
	must(t, err)
	defer release()
	id := begin(t, s, "coinbase")
	received := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	must(t, load(t, s, uniformBatch(id, received, 1)))
	db := connection(t, url)
	_, err = db.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE application_name = 'bourse lock coinbase' AND datname = current_database()`)
	must(t, err)
	if err := load(t, s, uniformBatch(id, received.Add(time.Hour), 2)); !errors.Is(err, market.ErrLocked) {
		t.Errorf("a load without the lock: %v", err)
	}
	theirs, err := other.Lock(t.Context(), "coinbase")
	must(t, err)
	defer theirs()
	must(t, load(t, other, uniformBatch(begin(t, other, "coinbase"), received.Add(2*time.Hour), 3)))
	if !versionsOf(t, other, 3) {
		t.Error("the second writer's load is not there")
	}
}

// TestRunEnded keeps a writer out whose run was ended by another that began.
func TestRunEnded(t *testing.T) {
	s := open(t, database(t))
	first := begin(t, s, "coinbase")
	begin(t, s, "coinbase")
	b := batch("coinbase", first, time.Now(), uniform(1))
	if err := load(t, s, b); !errors.Is(err, market.ErrLocked) {
		t.Errorf("a load of a run that has ended: %v", err)
	}
}

// TestListenAgain breaks the connection that listens. Those who watch are told once it
// is back, and the version has changed, since commits may have gone unheard.
func TestListenAgain(t *testing.T) {
	url := database(t)
	s := open(t, url)
	signals, err := s.Watch(t.Context())
	must(t, err)
	before, err := s.Version(t.Context())
	must(t, err)
	db := connection(t, url)
	const listeners = `FROM pg_stat_activity WHERE application_name = 'bourse listen' AND datname = current_database()`
	_, err = db.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 10000) `+listeners)
	must(t, err)
	for {
		v, err := s.Version(t.Context())
		if err == nil && v != before {
			break
		}
		must(t, t.Context().Err())
	}
	for drained := false; !drained; { // of signals from before
		select {
		case <-signals:
		default:
			drained = true
		}
	}
	begin(t, open(t, url), "coinbase")
	if _, ok := <-signals; !ok {
		t.Error("the watch has ended")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for range signals { // until it is closed with the store
	}
}
