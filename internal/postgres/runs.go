package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// StartRun records that a run of a source begins and returns its ID. The caller
// holds the source's lock, so earlier runs without an end were interrupted.
func (s *Store) StartRun(ctx context.Context, source market.Source, trigger string, at time.Time) (int64, error) {
	var id int64
	err := s.inSourceTx(ctx, source.Name, func(tx pgx.Tx) error {
		if err := saveSource(ctx, tx, source); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE runs SET finished_at = $1, outcome = $2, error = 'the process ended before the run did'
			WHERE source = $3 AND finished_at IS NULL`, instant(at), market.Interrupted, source.Name)
		if err != nil {
			return fmt.Errorf("interrupted runs: %w", err)
		}
		return tx.QueryRow(ctx, `INSERT INTO runs (source, trigger, started_at) VALUES ($1, $2, $3) RETURNING id`,
			source.Name, trigger, instant(at)).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("start run: %w", err)
	}
	return id, nil
}

func saveSource(ctx context.Context, tx pgx.Tx, src market.Source) error {
	_, err := tx.Exec(ctx, `INSERT INTO sources
		(name, title, homepage, attribution, licence, calendar, publish_at, zone, poll, per_day) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (name) DO UPDATE SET title = excluded.title, homepage = excluded.homepage, attribution = excluded.attribution,
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
	return s.inSourceTx(ctx, r.Source, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`UPDATE runs SET finished_at = $1, outcome = $2, error = $3, retry_at = $4, requests = $5,
			payloads = $6, bars = $7, inserted = $8, revised = $9, unchanged = $10, rejected = $11, flagged = $12, newest = $13,
			lag = $14 WHERE id = $15`, instant(r.Finished), r.Outcome, text(r.Error), instant(r.RetryAt), r.Requests, r.Payloads,
			r.Bars, r.Inserted, r.Revised, r.Unchanged, r.Rejected, r.Flagged, instant(r.Newest), int64(r.Lag.Seconds()), r.ID)
		batch.Queue(`UPDATE sources SET next_run = $1 WHERE name = $2`, instant(next), r.Source)
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("finish run: %w", err)
		}
		return nil
	})
}

const runSelect = `SELECT id, source, trigger, started_at, finished_at, outcome, error, retry_at, requests, payloads,
	bars, inserted, revised, unchanged, rejected, flagged, newest, lag FROM runs`

func scanRun(row pgx.Row) (market.Run, error) {
	var r market.Run
	var finished, retry, newest *time.Time
	var lag int64
	err := row.Scan(&r.ID, &r.Source, &r.Trigger, &r.Started, &finished, &r.Outcome, &r.Error, &retry, &r.Requests, &r.Payloads,
		&r.Bars, &r.Inserted, &r.Revised, &r.Unchanged, &r.Rejected, &r.Flagged, &newest, &lag)
	r.Started, r.Finished, r.RetryAt = r.Started.UTC(), fromInstant(finished), fromInstant(retry)
	r.Newest, r.Lag = fromInstant(newest), time.Duration(lag)*time.Second
	return r, err
}

// Runs returns run records, newest first.
func (s *Store) Runs(ctx context.Context, q market.RecordQuery) ([]market.Run, error) {
	var list []market.Run
	err := each(ctx, s.reads, func(rows pgx.Rows) error {
		r, err := scanRun(rows)
		list = append(list, r)
		return err
	}, runSelect+` WHERE ($1 = '' OR source = $1) AND id < $2 ORDER BY id DESC LIMIT $3`, text(q.Source), before(q), q.Limit)
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
	err := each(ctx, s.reads, func(rows pgx.Rows) error {
		var v market.Quarantined
		var raw []byte
		err := rows.Scan(&v.ID, &v.Source, &v.Symbol, &v.Interval, &v.Start, &raw, &v.Reason, &v.Loaded, &v.FoundAt, &v.RunID, &v.SHA256)
		v.Start, v.FoundAt, v.Raw = v.Start.UTC(), v.FoundAt.UTC(), string(raw)
		list = append(list, v)
		return err
	}, `SELECT q.id, q.source, symbol, interval, start, raw, reason, q.loaded, found_at, run_id, sha256
		FROM quarantine q JOIN payloads p ON p.id = payload_id
		WHERE ($1 = '' OR q.source = $1) AND q.id < $2 ORDER BY q.id DESC LIMIT $3`, text(q.Source), before(q), q.Limit)
	return list, err
}

// Sources returns how each source stands, ascending by name.
func (s *Store) Sources(ctx context.Context) ([]market.SourceStatus, error) {
	var list []market.SourceStatus
	lastRun, lastOK := map[string]*market.Run{}, map[string]*market.Run{}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT s.name, s.title, s.homepage, s.attribution, s.licence, s.calendar, s.publish_at, s.zone, s.poll, s.per_day, s.next_run,
			max(last), count(symbol), count(*) FILTER (WHERE last + $1::interval < newest), coalesce(sum(bars), 0)::bigint,
			(SELECT count(*) FROM revisions WHERE instrument_id IN (SELECT id FROM instruments WHERE source = s.name)),
			(SELECT count(*) FROM quarantine q WHERE q.source = s.name AND NOT loaded),
			(SELECT count(*) FROM quarantine q WHERE q.source = s.name AND loaded)
		FROM sources s LEFT JOIN (SELECT *, max(last) OVER (PARTITION BY source) AS newest FROM instruments) i ON i.source = s.name
		GROUP BY s.name ORDER BY s.name`, market.EndedAfter).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			v, err := scanSource(rows)
			list = append(list, v)
			return err
		})
	})
	queueLastRuns(batch, lastRun, `finished_at IS NOT NULL`)
	queueLastRuns(batch, lastOK, `outcome = 'ok'`)
	if err := s.snapshot(ctx, batch); err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	for i := range list {
		list[i].LastRun, list[i].LastOK = lastRun[list[i].Name], lastOK[list[i].Name]
	}
	return list, nil
}

func scanSource(row pgx.Row) (market.SourceStatus, error) {
	var v market.SourceStatus
	var publish, poll int64
	var next, newest *time.Time
	err := row.Scan(&v.Name, &v.Title, &v.Homepage, &v.Attribution, &v.Licence, &v.Calendar, &publish, &v.Zone,
		&poll, &v.Limits.PerDay, &next, &newest, &v.Instruments, &v.Ended, &v.Bars, &v.Revisions, &v.Rejected, &v.Flagged)
	v.PublishAt, v.Poll = time.Duration(publish)*time.Second, time.Duration(poll)*time.Second
	v.NextRun, v.Newest = fromInstant(next), fromInstant(newest)
	return v, err
}

// queueLastRuns asks for the newest run of each source that meets a condition.
func queueLastRuns(batch *pgx.Batch, into map[string]*market.Run, where string) {
	batch.Queue(`SELECT r.* FROM sources s CROSS JOIN LATERAL (` + runSelect + ` WHERE source = s.name AND ` + where +
		` ORDER BY id DESC LIMIT 1) r`).Query(func(rows pgx.Rows) error {
		return scanned(rows, func(rows pgx.Rows) error {
			r, err := scanRun(rows)
			into[r.Source] = &r
			return err
		})
	})
}

// NextRun returns when a source is asked next; zero where nobody knows.
func (s *Store) NextRun(ctx context.Context, source string) (time.Time, error) {
	var next *time.Time
	err := s.reads.QueryRow(ctx, `SELECT next_run FROM sources WHERE name = $1`, text(source)).Scan(&next)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, fmt.Errorf("next run: %w", err)
	}
	return fromInstant(next), nil
}
