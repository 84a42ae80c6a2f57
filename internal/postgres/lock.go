package postgres

import (
	"context"
	"fmt"
	"hash/fnv"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// The advisory locks of the store, as 64-bit keys of the database:
//
//   - "run <source>", by session: held for a whole run, by a connection of its own;
//   - "merge <source>", by transaction: held for one load, so that two never merge
//     the bars of one source, with or without the lock of a run;
//   - "simulated", by transaction: shared by loads of real bars, exclusive for all
//     that writes simulated ones; and "drop simulated", see simulated.go;
//   - "sequence", by transaction: held from the numbering of a change to its commit;
//   - "quota <source>", by transaction: held alone, while a request is taken.
//
// A load takes them in this order, so no two wait for each other in a circle.
func lockKey(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("bourse " + name))
	return int64(h.Sum64())
}

// Lock makes the caller the only writer of a source until it calls release, or its
// process or its connection ends. It returns [market.ErrLocked] at once where another
// holds the lock.
//
// A connection can end while its process lives on. Nobody is told; but a load of the
// source through this store fails from then on, see guard.
func (s *Store) Lock(ctx context.Context, source string) (release func(), err error) {
	conn, err := s.server.connect(ctx, "lock "+text(source))
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", source, err)
	}
	key := lockKey("run " + source)
	var ok bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, key).Scan(&ok); err != nil {
		closed(conn)
		return nil, fmt.Errorf("lock %s: %w", source, err)
	}
	if !ok {
		closed(conn)
		return nil, fmt.Errorf("source %s: %w", source, market.ErrLocked)
	}
	s.hold(source, conn.PgConn().PID())
	return func() {
		s.hold(source, 0)
		// Closing alone would leave the lock until the server notices.
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, key)
		closed(conn)
	}, nil
}

func (s *Store) hold(source string, pid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pid == 0 {
		delete(s.holding, source)
	} else {
		s.holding[source] = pid
	}
}

// guard keeps a run that is no longer the only one from loading, as far as that can be
// known: where this store took the lock of the source, its session must still have
// it; and the run must not have ended, as another run of the source ends it by
// beginning. The row of the run stays locked until the load has committed, so a run
// that begins meanwhile waits and then sees what was loaded.
func (s *Store) guard(ctx context.Context, tx pgx.Tx, p market.Payload) error {
	s.mu.Lock()
	pid, held := s.holding[p.Source]
	s.mu.Unlock()
	key := lockKey("run " + p.Source)
	var here, open bool
	// pg_locks has the halves of the key as OIDs.
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = $1
			AND classid::bigint = $2 AND objid::bigint = $3 AND objsubid = 1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
		EXISTS (SELECT 1 FROM runs WHERE id = $4 AND finished_at IS NULL FOR SHARE)`,
		int64(pid), int64(uint64(key)>>32), int64(uint64(key)&0xffffffff), p.RunID).Scan(&here, &open)
	switch {
	case err != nil:
		return fmt.Errorf("guard: %w", err)
	case held && !here:
		return fmt.Errorf("the lock of %s was lost: %w", p.Source, market.ErrLocked)
	case !open:
		return fmt.Errorf("run %d has ended: %w", p.RunID, market.ErrLocked)
	}
	return nil
}
