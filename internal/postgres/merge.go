package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// extent is series as arrays, for the server to make rows of: what
// they are of, and where they begin and end.
type extent struct {
	ids         []int32
	intervals   []string
	first, last []time.Time
}

func extentOf(list []*series) extent {
	var e extent
	for _, s := range list {
		e.ids, e.intervals = append(e.ids, s.instrument), append(e.intervals, string(s.Interval))
		e.first, e.last = append(e.first, s.Bars[0].Start), append(e.last, s.Bars[len(s.Bars)-1].Start)
	}
	return e
}

const extents = `SELECT * FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::timestamptz[])
	WITH ORDINALITY AS r (instrument_id, interval, first, last, series)`

// split tells series of which the store has no bar between their first and last from
// those that must be compared. That holds until the commit: the transaction has the
// merge lock of the source.
func (l *loader) split(ctx context.Context) (fresh, known []*series, err error) {
	e := extentOf(l.series)
	err = each(ctx, l.tx, func(rows pgx.Rows) error {
		var n int
		var stored bool
		if err := rows.Scan(&n, &stored); err != nil {
			return err
		}
		if stored {
			known = append(known, l.series[n-1])
		} else {
			fresh = append(fresh, l.series[n-1])
		}
		return nil
	}, `SELECT series, EXISTS (SELECT 1 FROM bars b
			WHERE b.instrument_id = r.instrument_id AND b.interval = r.interval AND b.start BETWEEN r.first AND r.last)
		FROM (`+extents+`) r ORDER BY series`, e.ids, e.intervals, e.first, e.last)
	if err != nil {
		return nil, nil, fmt.Errorf("ranges: %w", err)
	}
	return fresh, known, nil
}

// append brings in series that there is nothing to compare with. To stage them would
// be to write them twice.
func (l *loader) append(ctx context.Context, fresh []*series) error {
	if len(fresh) == 0 {
		return nil
	}
	into := `bars (` + barColumnsIn + `, known_at, payload_id)`
	if err := copyBars(ctx, l.tx, into, fresh, &origin{l.known, l.payload}); err != nil {
		return err
	}
	for _, s := range fresh {
		s.inserted, s.newest = int64(len(s.Bars)), s.Bars[len(s.Bars)-1].Start
		l.counts.Inserted += len(s.Bars)
	}
	return nil
}

const (
	stagedColumns = `instrument_id INTEGER, interval TEXT COLLATE "C", start TIMESTAMPTZ, open NUMERIC, high NUMERIC, low NUMERIC,
		close NUMERIC, volume NUMERIC, provisional BOOLEAN`
	stagedTable = `CREATE TEMPORARY TABLE staged (` + stagedColumns + `) ON COMMIT DROP`
	// What is staged and not stored so; stored_at is when what is stored was known.
	differingTable = `CREATE TEMPORARY TABLE differing (` + stagedColumns + `, stored_at TIMESTAMPTZ) ON COMMIT DROP`

	barColumnsIn = `instrument_id, interval, start, open, high, low, close, volume, provisional`
	sameBar      = `b.instrument_id = d.instrument_id AND b.interval = d.interval AND b.start = d.start`
)

// planned makes the server plan a statement each time: how to join depends on how much a
// payload brings. (The setting plan_cache_mode would do the same, and plan the checks of
// foreign keys again for each row.)
const planned = pgx.QueryExecModeCacheDescribe

// merge stages what of series differs from the store; most often that is little or
// nothing. It is new, or newer, or late: received before what is stored.
func (l *loader) merge(ctx context.Context, known []*series) error {
	if len(known) == 0 {
		return nil
	}
	known, err := l.changed(ctx, known)
	if err != nil || len(known) == 0 {
		return err
	}
	for _, table := range []string{stagedTable, differingTable} {
		if _, err := l.tx.Exec(ctx, table); err != nil {
			return fmt.Errorf("stage: %w", err)
		}
	}
	if err := copyBars(ctx, l.tx, `staged (`+barColumnsIn+`)`, known, nil); err != nil {
		return err
	}
	if found, err := l.compare(ctx, known); err != nil || found == 0 {
		return err
	}
	late, err := l.count(ctx, known)
	if err != nil {
		return err
	}
	if err := l.apply(ctx); err != nil {
		return err
	}
	if late == 0 {
		return nil
	}
	return l.fillHistory(ctx)
}

// compare leaves in differing what the store does not say already. The bounds, one for
// each column of the index, let the store's side be read as a few ranges of it. Nested
// loops are kept out, since with estimates that are far off, as after a first load, the
// planner would read those ranges again for each row: a hash join is never that slow.
func (l *loader) compare(ctx context.Context, known []*series) (int64, error) {
	if _, err := l.tx.Exec(ctx, `SET LOCAL enable_nestloop = off`); err != nil {
		return 0, fmt.Errorf("compare: %w", err)
	}
	e := extentOf(known)
	first := slices.MinFunc(e.first, time.Time.Compare)
	last := slices.MaxFunc(e.last, time.Time.Compare)
	tag, err := l.tx.Exec(ctx, `INSERT INTO differing
		SELECT d.*, b.known_at
		FROM staged d LEFT JOIN bars b ON `+sameBar+` AND b.instrument_id = ANY ($1) AND b.interval = ANY ($2) AND b.start BETWEEN $3 AND $4
		WHERE b.start IS NULL OR b.known_at > $5 OR (b.open, b.high, b.low, b.close, b.volume, b.provisional)
			IS DISTINCT FROM (d.open, d.high, d.low, d.close, d.volume, d.provisional)`, planned,
		distinct(e.ids), distinct(e.intervals), first, last, l.known)
	if err != nil {
		return 0, fmt.Errorf("compare: %w", err)
	}
	if _, err := l.tx.Exec(ctx, `SET LOCAL enable_nestloop = on`); err != nil {
		return 0, fmt.Errorf("compare: %w", err)
	}
	return tag.RowsAffected(), nil
}

// count counts what differs and returns how much of it is late.
func (l *loader) count(ctx context.Context, known []*series) (late int64, err error) {
	by := make(map[seriesKey]*series, len(known))
	for _, s := range known {
		by[s.key()] = s
	}
	err = each(ctx, l.tx, func(rows pgx.Rows) error {
		var k seriesKey
		var inserted, replaced, older int64
		var newest *time.Time
		if err := rows.Scan(&k.instrument, &k.interval, &inserted, &replaced, &older, &newest); err != nil {
			return err
		}
		s := by[k]
		s.inserted, s.newest = inserted, fromInstant(newest)
		l.counts.Inserted += int(inserted)
		l.counts.Revised += int(replaced)
		late += older
		return nil
	}, `SELECT instrument_id, interval, count(*) FILTER (WHERE stored_at IS NULL), count(*) FILTER (WHERE stored_at <= $1),
			count(*) FILTER (WHERE stored_at > $1), max(start) FILTER (WHERE stored_at IS NULL OR stored_at <= $1)
		FROM differing GROUP BY instrument_id, interval`, l.known)
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return late, nil
}

// apply inserts what is new and replaces what is older; the trigger keeps what that said.
func (l *loader) apply(ctx context.Context) error {
	_, err := l.tx.Exec(ctx, `UPDATE bars b SET open = d.open, high = d.high, low = d.low, close = d.close, volume = d.volume,
			provisional = d.provisional, known_at = $1, payload_id = $2
		FROM differing d WHERE d.stored_at <= $1 AND `+sameBar, planned, l.known, l.payload)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	_, err = l.tx.Exec(ctx, `INSERT INTO bars (`+barColumnsIn+`, known_at, payload_id)
		SELECT `+barColumnsIn+`, $1, $2 FROM differing WHERE stored_at IS NULL`, planned, l.known, l.payload)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	return nil
}

func distinct[T cmp.Ordered](list []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
