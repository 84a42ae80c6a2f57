package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"bourse/internal/market"

	"github.com/govalues/decimal"
)

// Load stores a batch in one transaction and says what it changed. Just before the
// commit it calls accept with the counts; an error from it leaves the store
// untouched and is returned as it is.
//
// A bar that is stored already with the same content is left alone. One that
// differs replaces it, and the old one becomes a revision. What counts is when a
// payload was received, not when it is loaded: a payload older than what is stored
// only fills in history. Corporate actions are counted and kept likewise, a list at a
// time. An instrument with a name replaces what is known of it, one without says
// nothing new. Simulated instruments disappear in the transaction that brings the
// first real ones.
func (s *Store) Load(ctx context.Context, b market.Batch, accept func(market.Counts) error) (market.Counts, error) {
	var counts market.Counts
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := dropSimulated(ctx, tx, b); err != nil {
			return err
		}
		l := loader{tx: tx, known: b.Payload.ReceivedAt.UnixMicro()}
		var err error
		if l.payload, err = insertPayload(ctx, tx, b.Payload, true); err != nil {
			return err
		}
		if l.ids, err = saveInstruments(ctx, tx, b.Instruments); err != nil {
			return err
		}
		for _, series := range b.Series {
			if err := l.load(ctx, series); err != nil {
				return fmt.Errorf("%s %s: %w", series.Symbol, series.Interval, err)
			}
		}
		if err := l.actions(ctx, b.Actions); err != nil {
			return err
		}
		if err := l.quarantine(ctx, b.Quarantine); err != nil {
			return err
		}
		counts = l.counts
		if _, err := tx.ExecContext(ctx, `UPDATE payloads SET changed = changed + ? WHERE id = ?`,
			counts.Inserted+counts.Revised, l.payload); err != nil {
			return fmt.Errorf("payload: %w", err)
		}
		return accept(counts)
	})
	if err != nil {
		return market.Counts{}, err
	}
	return counts, nil
}

// dropSimulated removes the simulated source once real instruments arrive, and keeps
// simulated ones out of a store that has any.
func dropSimulated(ctx context.Context, tx *sql.Tx, b market.Batch) error {
	if b.Payload.Source == market.Simulated {
		var real bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM instruments WHERE source <> 'simulated')`).Scan(&real)
		if err != nil || real {
			return errors.Join(err, market.ErrRealData)
		}
		return nil
	}
	if len(b.Instruments) == 0 {
		return nil
	}
	for _, statement := range []string{
		`DELETE FROM quarantine WHERE source = 'simulated'`,
		`DELETE FROM bars WHERE instrument_id IN (SELECT id FROM instruments WHERE source = 'simulated')`,
		`DELETE FROM revisions WHERE instrument_id IN (SELECT id FROM instruments WHERE source = 'simulated')`,
		`DELETE FROM actions WHERE instrument_id IN (SELECT id FROM instruments WHERE source = 'simulated')`,
		`DELETE FROM instruments WHERE source = 'simulated'`,
		`DELETE FROM payloads WHERE source = 'simulated'`,
		`DELETE FROM runs WHERE source = 'simulated'`,
		`DELETE FROM sources WHERE name = 'simulated'`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("drop simulated: %w", err)
		}
	}
	return nil
}

// insertPayload records a receipt. Replayed from the archive it is there already.
func insertPayload(ctx context.Context, tx *sql.Tx, p market.Payload, loaded bool) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, `INSERT INTO payloads
		(run_id, source, resource, url, status, received_at, sha256, size, loaded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET loaded = max(loaded, excluded.loaded) RETURNING id`,
		p.RunID, p.Source, p.Resource, p.URL, p.Status, instant(p.ReceivedAt), p.SHA256, p.Size, loaded).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("payload: %w", err)
	}
	return id, nil
}

// SavePayload records a receipt that brought no bars.
func (s *Store) SavePayload(ctx context.Context, p market.Payload) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := insertPayload(ctx, tx, p, false)
		return err
	})
}

// saveInstruments returns the IDs of instruments by symbol. New ones are stored, and
// known ones brought up to date where the batch names them.
func saveInstruments(ctx context.Context, tx *sql.Tx, list []market.Instrument) (map[string]int64, error) {
	ids := make(map[string]int64, len(list))
	for _, i := range list {
		var id int64
		var differs bool
		err := tx.QueryRowContext(ctx, `SELECT id, (name, kind, base, quote, calendar, licence) <> (?, ?, ?, ?, ?, ?)
			FROM instruments WHERE symbol = ? AND source = ?`,
			i.Name, i.Kind, i.Base, i.Quote, i.Calendar, i.Licence, i.Symbol, i.Source).Scan(&id, &differs)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			err = tx.QueryRowContext(ctx, `INSERT INTO instruments
				(symbol, name, kind, base, quote, source, calendar, licence) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
				i.Symbol, cmp.Or(i.Name, i.Symbol), i.Kind, i.Base, i.Quote, i.Source, i.Calendar, i.Licence).Scan(&id)
		case err == nil && differs && i.Name != "":
			_, err = tx.ExecContext(ctx, `UPDATE instruments SET name = ?, kind = ?, base = ?, quote = ?, calendar = ?, licence = ?
				WHERE id = ?`, i.Name, i.Kind, i.Base, i.Quote, i.Calendar, i.Licence, id)
		}
		if err != nil {
			return nil, fmt.Errorf("instrument %s: %w", i.Symbol, err)
		}
		ids[i.Symbol] = id
	}
	return ids, nil
}

// loader writes the series of one payload.
type loader struct {
	tx      *sql.Tx
	payload int64
	known   int64 // when the payload was received, in microseconds since 1970
	ids     map[string]int64
	counts  market.Counts
	upsert  *sql.Stmt // of chunkRows rows
}

const (
	chunkRows  = 200
	rowColumns = 11
	upsertHead = `INSERT INTO bars VALUES `
	upsertRow  = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	upsertTail = ` ON CONFLICT DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
		close = excluded.close, volume = excluded.volume, provisional = excluded.provisional,
		known_at = excluded.known_at, payload_id = excluded.payload_id
	WHERE excluded.known_at >= bars.known_at AND (bars.open <> excluded.open OR bars.high <> excluded.high
		OR bars.low <> excluded.low OR bars.close <> excluded.close OR bars.volume IS NOT excluded.volume
		OR bars.provisional <> excluded.provisional)`
)

// load upserts the bars of a series in chunks, all rows of a chunk in one statement.
func (l *loader) load(ctx context.Context, series market.Series) error {
	id, ok := l.ids[series.Symbol]
	if !ok {
		return errors.New("series of an instrument that the batch does not have")
	}
	late, err := l.lateBars(ctx, id, series)
	if err != nil {
		return err
	}
	// A payload that is replayed has replaced values before.
	already, err := l.replaced(ctx, id, series)
	if err != nil {
		return err
	}
	var changed int64
	for rest := series.Bars; len(rest) > 0; {
		n := min(len(rest), chunkRows)
		c, err := l.upsertChunk(ctx, id, series.Interval, rest[:n])
		if err != nil {
			return err
		}
		changed += c
		rest = rest[n:]
	}
	revised, err := l.replaced(ctx, id, series)
	if err != nil {
		return err
	}
	revised -= already
	inserted := changed - revised
	for _, bar := range late {
		filled, err := l.fillHistory(ctx, id, series.Interval, bar)
		if err != nil {
			return err
		}
		revised += filled
		changed += filled
	}
	l.counts.Bars += len(series.Bars)
	l.counts.Inserted += int(inserted)
	l.counts.Revised += int(revised)
	l.counts.Unchanged += len(series.Bars) - int(changed)
	return l.note(ctx, id, series, inserted)
}

// replaced counts the values of a series that this payload has replaced.
func (l *loader) replaced(ctx context.Context, id int64, series market.Series) (int64, error) {
	if len(series.Bars) == 0 {
		return 0, nil
	}
	var n int64
	err := l.tx.QueryRowContext(ctx, `SELECT count(*) FROM revisions
		WHERE instrument_id = ? AND interval = ? AND start BETWEEN ? AND ? AND replaced_by = ?`,
		id, series.Interval, series.Bars[0].Start.Unix(), series.Bars[len(series.Bars)-1].Start.Unix(), l.payload).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count revisions: %w", err)
	}
	return n, nil
}

// note keeps the figures of an instrument that readers would else have to count.
func (l *loader) note(ctx context.Context, id int64, series market.Series, inserted int64) error {
	if inserted == 0 {
		return nil
	}
	var first, last any
	if series.Interval == market.Day {
		first, last = start(series.Bars[0].Start), start(series.Bars[len(series.Bars)-1].Start)
	}
	_, err := l.tx.ExecContext(ctx, `UPDATE instruments SET bars = bars + ?1,
		first = min(coalesce(first, ?2), coalesce(?2, first)), last = max(coalesce(last, ?3), coalesce(?3, last)) WHERE id = ?4`,
		inserted, first, last, id)
	if err != nil {
		return fmt.Errorf("instrument: %w", err)
	}
	return nil
}

func (l *loader) upsertChunk(ctx context.Context, id int64, interval market.Interval, bars []market.Bar) (int64, error) {
	args := make([]any, 0, len(bars)*rowColumns)
	for _, b := range bars {
		open := b.Open.String()
		args = append(args, id, string(interval), b.Start.Unix(), open, text(b.High, b.Open, open), text(b.Low, b.Open, open),
			text(b.Close, b.Open, open), volume(b.Volume), b.Provisional, l.known, l.payload)
	}
	var r sql.Result
	var err error
	if len(bars) == chunkRows {
		if l.upsert == nil {
			if l.upsert, err = l.tx.PrepareContext(ctx, upsertSQL(chunkRows)); err != nil {
				return 0, fmt.Errorf("prepare: %w", err)
			}
		}
		r, err = l.upsert.ExecContext(ctx, args...)
	} else {
		r, err = l.tx.ExecContext(ctx, upsertSQL(len(bars)), args...)
	}
	if err != nil {
		return 0, fmt.Errorf("upsert: %w", err)
	}
	return r.RowsAffected()
}

// text is the text of d, which for a fixing is the text of its first price.
func text(d, first market.Decimal, firstText string) string {
	if d == first {
		return firstText
	}
	return d.String()
}

func volume(v decimal.NullDecimal) any {
	if !v.Valid {
		return nil
	}
	return v.Decimal.String()
}

func upsertSQL(rows int) string {
	return upsertHead + strings.TrimSuffix(strings.Repeat(upsertRow+",", rows), ",") + upsertTail
}

func (l *loader) quarantine(ctx context.Context, list []market.Quarantined) error {
	for _, q := range list {
		r, err := l.tx.ExecContext(ctx, `INSERT INTO quarantine
			(source, symbol, interval, start, raw, reason, loaded, payload_id, found_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			q.Source, q.Symbol, q.Interval, q.Start.Unix(), q.Raw, q.Reason, q.Loaded, l.payload, l.known)
		if err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		if q.Loaded {
			l.counts.Flagged += int(n)
		} else {
			l.counts.Rejected += int(n)
		}
	}
	return nil
}
