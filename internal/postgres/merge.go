package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// extent is series as arrays, for the server to make rows of: their numbers from 1, and
// where they begin and end.
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
	// Numbers and intervals have nothing that COPY would want escaped.
	lead := func(s *series) string { return strconv.Itoa(int(s.instrument)) + "\t" + string(s.Interval) }
	into := `bars (instrument_id, interval, ` + barContent + `, known_at, payload_id)`
	if err := copyBars(ctx, l.tx, into, fresh, lead, instantText(l.known), strconv.FormatInt(l.payload, 10)); err != nil {
		return err
	}
	for _, s := range fresh {
		s.inserted, s.newest = int64(len(s.Bars)), s.Bars[len(s.Bars)-1].Start
		l.counts.Inserted += len(s.Bars)
	}
	return nil
}

// Series are staged by number, which is quicker to join than what they are of.
const (
	stagedTable = `CREATE TEMPORARY TABLE staged (series INTEGER, start TIMESTAMPTZ, open NUMERIC, high NUMERIC, low NUMERIC,
		close NUMERIC, volume NUMERIC, provisional BOOLEAN) ON COMMIT DROP`
	// What is staged and not stored so, with when it was known that is.
	differingTable = `CREATE TEMPORARY TABLE differing (series INTEGER, start TIMESTAMPTZ, open NUMERIC, high NUMERIC, low NUMERIC,
		close NUMERIC, volume NUMERIC, provisional BOOLEAN, instrument_id INTEGER, interval TEXT COLLATE "C", stored_at TIMESTAMPTZ)
		ON COMMIT DROP`
	sameBar = `b.instrument_id = d.instrument_id AND b.interval = d.interval AND b.start = d.start`
)

// planned makes the server plan a statement each time: how to join depends on how much a
// payload brings. (The setting plan_cache_mode would do the same, and plan the checks of
// foreign keys again for each row.)
const planned = pgx.QueryExecModeCacheDescribe

// merge stages series and finds what differs from the store, with one join; most often
// that is little or nothing. What is left is new, or newer, or late: received before
// what is stored.
func (l *loader) merge(ctx context.Context, known []*series) error {
	if len(known) == 0 {
		return nil
	}
	for _, table := range []string{stagedTable, differingTable} {
		if _, err := l.tx.Exec(ctx, table); err != nil {
			return fmt.Errorf("stage: %w", err)
		}
	}
	numbers := make(map[*series]string, len(known))
	for i, s := range known {
		numbers[s] = strconv.Itoa(i + 1)
	}
	if err := copyBars(ctx, l.tx, `staged (series, `+barContent+`)`, known, func(s *series) string { return numbers[s] }); err != nil {
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

// compare leaves in differing what the store does not say already. Of the store one
// range of the index is read for each series.
func (l *loader) compare(ctx context.Context, known []*series) (int64, error) {
	e := extentOf(known)
	tag, err := l.tx.Exec(ctx, `WITH extents AS MATERIALIZED (`+extents+`)
		INSERT INTO differing SELECT series, `+barContent+`, e.instrument_id, e.interval, known_at FROM (
			SELECT d.*, b.known_at FROM staged d LEFT JOIN (
				SELECT e.series, b.* FROM extents e JOIN bars b
				ON b.instrument_id = e.instrument_id AND b.interval = e.interval AND b.start BETWEEN e.first AND e.last
			) b USING (series, start)
			WHERE b.known_at IS NULL OR b.known_at > $5 OR (b.open, b.high, b.low, b.close, b.volume, b.provisional)
				IS DISTINCT FROM (d.open, d.high, d.low, d.close, d.volume, d.provisional)
		) d JOIN extents e USING (series)`, planned, e.ids, e.intervals, e.first, e.last, l.known)
	if err != nil {
		return 0, fmt.Errorf("compare: %w", err)
	}
	return tag.RowsAffected(), nil
}

// count counts what differs and returns how much of it is late.
func (l *loader) count(ctx context.Context, known []*series) (late int64, err error) {
	err = each(ctx, l.tx, func(rows pgx.Rows) error {
		var n int
		var inserted, replaced, older int64
		var newest *time.Time
		if err := rows.Scan(&n, &inserted, &replaced, &older, &newest); err != nil {
			return err
		}
		s := known[n-1]
		s.inserted, s.newest = inserted, fromInstant(newest)
		l.counts.Inserted += int(inserted)
		l.counts.Revised += int(replaced)
		late += older
		return nil
	}, `SELECT series, count(*) FILTER (WHERE stored_at IS NULL), count(*) FILTER (WHERE stored_at <= $1),
			count(*) FILTER (WHERE stored_at > $1), max(start) FILTER (WHERE stored_at IS NULL OR stored_at <= $1)
		FROM differing GROUP BY series`, l.known)
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
	_, err = l.tx.Exec(ctx, `INSERT INTO bars (instrument_id, interval, `+barContent+`, known_at, payload_id)
		SELECT instrument_id, interval, `+barContent+`, $1, $2 FROM differing WHERE stored_at IS NULL`, planned, l.known, l.payload)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	return nil
}
