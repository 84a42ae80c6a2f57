package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"bourse/internal/market"
)

// StartRun records that a run of a source begins and returns its ID. The caller
// holds the source's lock, so earlier runs without an end were interrupted.
func (s *Store) StartRun(ctx context.Context, source market.Source, trigger string, at time.Time) (int64, error) {
	var id int64
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := saveSource(ctx, tx, source); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE runs SET finished_at = ?, outcome = ?, error = 'the process ended before the run did'
			WHERE source = ? AND finished_at IS NULL`, instant(at), market.Interrupted, source.Name)
		if err != nil {
			return fmt.Errorf("interrupted runs: %w", err)
		}
		return tx.QueryRowContext(ctx, `INSERT INTO runs (source, trigger, started_at) VALUES (?, ?, ?) RETURNING id`,
			source.Name, trigger, instant(at)).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("start run: %w", err)
	}
	return id, nil
}

func saveSource(ctx context.Context, tx *sql.Tx, src market.Source) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sources
		(name, title, homepage, attribution, licence, calendar, publish_at, zone, poll, per_day) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET title = excluded.title, homepage = excluded.homepage, attribution = excluded.attribution,
			licence = excluded.licence, calendar = excluded.calendar, publish_at = excluded.publish_at, zone = excluded.zone,
			poll = excluded.poll, per_day = excluded.per_day`,
		src.Name, src.Title, src.Homepage, src.Attribution, src.Licence, src.Calendar, int64(src.PublishAt.Seconds()), src.Zone,
		int64(src.Poll.Seconds()), src.Limits.PerDay)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

// FinishRun records how a run ended, and when the next one is planned.
func (s *Store) FinishRun(ctx context.Context, r market.Run, next time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET finished_at = ?, outcome = ?, error = ?, retry_at = ?, requests = ?,
			payloads = ?, bars = ?, inserted = ?, revised = ?, unchanged = ?, rejected = ?, flagged = ?, newest = ?, lag = ?
			WHERE id = ?`, instant(r.Finished), r.Outcome, r.Error, instant(r.RetryAt), r.Requests, r.Payloads, r.Bars,
			r.Inserted, r.Revised, r.Unchanged, r.Rejected, r.Flagged, start(r.Newest), int64(r.Lag.Seconds()), r.ID)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE sources SET next_run = ? WHERE name = ?`, instant(next), r.Source)
		}
		if err != nil {
			return fmt.Errorf("finish run: %w", err)
		}
		return nil
	})
}

const runSelect = `SELECT id, source, trigger, started_at, finished_at, outcome, error, retry_at, requests, payloads,
	bars, inserted, revised, unchanged, rejected, flagged, newest, lag FROM runs`

func scanRun(row interface{ Scan(...any) error }) (market.Run, error) {
	var r market.Run
	var started, finished, retry, newest sql.NullInt64
	var lag int64
	err := row.Scan(&r.ID, &r.Source, &r.Trigger, &started, &finished, &r.Outcome, &r.Error, &retry, &r.Requests, &r.Payloads,
		&r.Bars, &r.Inserted, &r.Revised, &r.Unchanged, &r.Rejected, &r.Flagged, &newest, &lag)
	r.Started, r.Finished, r.RetryAt = fromInstant(started), fromInstant(finished), fromInstant(retry)
	r.Newest, r.Lag = fromStart(newest), time.Duration(lag)*time.Second
	return r, err
}

// Runs returns run records, newest first.
func (s *Store) Runs(ctx context.Context, q market.RecordQuery) ([]market.Run, error) {
	var list []market.Run
	err := each(ctx, s.reads, func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		list = append(list, r)
		return err
	}, runSelect+` WHERE (?1 = '' OR source = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3`, q.Source, before(q), q.Limit)
	return list, err
}

func before(q market.RecordQuery) int64 {
	if q.Before == 0 {
		return math.MaxInt64
	}
	return q.Before
}

// Quarantine returns values that were held back or marked for review, newest first.
func (s *Store) Quarantine(ctx context.Context, q market.RecordQuery) ([]market.Quarantined, error) {
	var list []market.Quarantined
	err := each(ctx, s.reads, func(rows *sql.Rows) error {
		var v market.Quarantined
		var at, found sql.NullInt64
		err := rows.Scan(&v.ID, &v.Source, &v.Symbol, &v.Interval, &at, &v.Raw, &v.Reason, &v.Loaded, &found, &v.RunID, &v.SHA256)
		v.Start, v.FoundAt = fromStart(at), fromInstant(found)
		list = append(list, v)
		return err
	}, `SELECT q.id, q.source, symbol, interval, start, raw, reason, q.loaded, found_at, run_id, sha256
		FROM quarantine q JOIN payloads p ON p.id = payload_id
		WHERE (?1 = '' OR q.source = ?1) AND q.id < ?2 ORDER BY q.id DESC LIMIT ?3`, q.Source, before(q), q.Limit)
	return list, err
}

// Sources returns how each source stands, ascending by name.
func (s *Store) Sources(ctx context.Context) ([]market.SourceStatus, error) {
	var list []market.SourceStatus
	err := each(ctx, s.reads, func(rows *sql.Rows) error {
		var v market.SourceStatus
		var publish, poll int64
		var next, newest sql.NullInt64
		err := rows.Scan(&v.Name, &v.Title, &v.Homepage, &v.Attribution, &v.Licence, &v.Calendar, &publish, &v.Zone,
			&poll, &v.Limits.PerDay, &next, &newest, &v.Instruments, &v.Ended, &v.Bars, &v.Revisions, &v.Rejected, &v.Flagged)
		v.PublishAt, v.Poll = time.Duration(publish)*time.Second, time.Duration(poll)*time.Second
		v.NextRun, v.Newest = fromInstant(next), fromStart(newest)
		list = append(list, v)
		return err
	}, `SELECT s.name, title, homepage, attribution, s.licence, s.calendar, publish_at, zone, poll, per_day, next_run,
			max(last), count(symbol), coalesce(sum(last + ? < newest), 0), coalesce(sum(bars), 0),
			(SELECT count(*) FROM revisions WHERE instrument_id IN (SELECT id FROM instruments WHERE source = s.name)),
			(SELECT count(*) FROM quarantine q WHERE q.source = s.name AND NOT loaded),
			(SELECT count(*) FROM quarantine q WHERE q.source = s.name AND loaded)
		FROM sources s LEFT JOIN (SELECT *, max(last) OVER (PARTITION BY source) AS newest FROM instruments) i ON i.source = s.name
		GROUP BY s.name ORDER BY s.name`, int64(market.EndedAfter.Seconds()))
	for i := range list {
		var last, ok error
		list[i].LastRun, last = s.lastRun(ctx, list[i].Name, `finished_at IS NOT NULL`)
		list[i].LastOK, ok = s.lastRun(ctx, list[i].Name, `outcome = 'ok'`)
		err = errors.Join(err, last, ok)
	}
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	return list, nil
}

func (s *Store) lastRun(ctx context.Context, source, where string) (*market.Run, error) {
	r, err := scanRun(s.reads.QueryRowContext(ctx, runSelect+` WHERE source = ? AND `+where+` ORDER BY id DESC LIMIT 1`, source))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("last run: %w", err)
	}
	return &r, nil
}

// Payload returns the newest receipt of the bytes with this hash, or [market.ErrNotFound].
func (s *Store) Payload(ctx context.Context, sha256 string) (market.Payload, error) {
	var p market.Payload
	var received sql.NullInt64
	err := s.reads.QueryRowContext(ctx, `SELECT id, run_id, source, resource, url, status, received_at, sha256, size
		FROM payloads WHERE sha256 = ? ORDER BY id DESC LIMIT 1`, sha256).
		Scan(&p.ID, &p.RunID, &p.Source, &p.Resource, &p.URL, &p.Status, &received, &p.SHA256, &p.Size)
	p.ReceivedAt = fromInstant(received)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("payload %s: %w", sha256, market.ErrNotFound)
	}
	if err != nil {
		return p, fmt.Errorf("payload: %w", err)
	}
	return p, nil
}

// NextRun returns when a source is asked next; zero where nobody knows.
func (s *Store) NextRun(ctx context.Context, source string) (time.Time, error) {
	var next sql.NullInt64
	err := s.reads.QueryRowContext(ctx, `SELECT next_run FROM sources WHERE name = ?`, source).Scan(&next)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("next run: %w", err)
	}
	return fromInstant(next), nil
}
