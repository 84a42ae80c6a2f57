package postgres

import (
	"context"
	"fmt"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
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
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if err := dropSimulated(ctx, tx, b); err != nil {
			return err
		}
		l := loader{tx: tx, known: b.Payload.ReceivedAt}
		if err := l.receive(ctx, b); err != nil {
			return err
		}
		if err := l.load(ctx); err != nil {
			return err
		}
		if err := l.actions(ctx, b.Actions); err != nil {
			return err
		}
		if err := l.quarantine(ctx, b.Quarantine); err != nil {
			return err
		}
		if err := s.guard(ctx, tx, b.Payload); err != nil {
			return err
		}
		if err := accept(l.counts); err != nil {
			return err
		}
		counts = l.counts
		return l.number(ctx)
	})
	if err != nil {
		return market.Counts{}, err
	}
	return counts, nil
}

// loader writes the series of one payload.
type loader struct {
	tx      pgx.Tx
	payload int64
	known   time.Time // when the payload was received
	ids     map[string]int32
	series  []*series
	counts  market.Counts
}

// series is bars of the payload with what becomes of them.
type series struct {
	market.Series
	instrument int32
	inserted   int64
	newest     time.Time // start of the newest bar that was inserted or replaced
}

type seriesKey struct {
	instrument int32
	interval   market.Interval
}

func (s *series) key() seriesKey { return seriesKey{s.instrument, s.Interval} }

// receive records the payload and its instruments, as the only writer of its source.
func (l *loader) receive(ctx context.Context, b market.Batch) error {
	if _, err := l.tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey("merge "+b.Payload.Source)); err != nil {
		return fmt.Errorf("lock %s: %w", b.Payload.Source, err)
	}
	var err error
	if l.payload, err = insertPayload(ctx, l.tx, b.Payload, true); err != nil {
		return err
	}
	if l.ids, err = saveInstruments(ctx, l.tx, b.Instruments); err != nil {
		return err
	}
	seen := map[seriesKey]bool{}
	for _, in := range b.Series {
		id, ok := l.ids[in.Symbol]
		k := seriesKey{id, in.Interval}
		switch {
		case !ok:
			return fmt.Errorf("%s %s: series of an instrument that the batch does not have", in.Symbol, in.Interval)
		case !in.Interval.Valid():
			return fmt.Errorf("%s: there is no interval %q", in.Symbol, in.Interval)
		case seen[k]:
			return fmt.Errorf("%s %s: the batch has the series twice", in.Symbol, in.Interval)
		case !ascending(in.Bars):
			return fmt.Errorf("%s %s: the bars are not ascending", in.Symbol, in.Interval)
		}
		seen[k] = true
		l.counts.Bars += len(in.Bars)
		if len(in.Bars) > 0 {
			l.series = append(l.series, &series{Series: in, instrument: id})
		}
	}
	return nil
}

// ascending makes sure that no two bars have one start: the merge would take either.
func ascending(bars []market.Bar) bool {
	for i := 1; i < len(bars); i++ {
		if bars[i].Start.Unix() <= bars[i-1].Start.Unix() {
			return false
		}
	}
	return true
}

// load brings the bars in and notes the figures that follow from them.
func (l *loader) load(ctx context.Context) error {
	fresh, known, err := l.split(ctx)
	if err != nil {
		return err
	}
	if err := l.append(ctx, fresh); err != nil {
		return err
	}
	if err := l.merge(ctx, known); err != nil {
		return err
	}
	l.counts.Unchanged = l.counts.Bars - l.counts.Inserted - l.counts.Revised
	return l.note(ctx)
}

// note keeps the figures of instruments that readers would else have to count.
func (l *loader) note(ctx context.Context) error {
	batch := &pgx.Batch{}
	for _, s := range l.series {
		if s.inserted == 0 {
			continue
		}
		var first, last any
		if s.Interval == market.Day {
			first, last = s.Bars[0].Start, s.Bars[len(s.Bars)-1].Start
		}
		// least and greatest pass over NULL.
		batch.Queue(`UPDATE instruments SET bars = bars + $1, first = least(first, $2), last = greatest(last, $3) WHERE id = $4`,
			s.inserted, first, last, s.instrument)
	}
	return l.send(ctx, batch, "instruments")
}

// number gives the change its place among all. The lock makes the order of the numbers
// that of the commits, see the schema.
func (l *loader) number(ctx context.Context) error {
	if l.counts.Inserted+l.counts.Revised == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT pg_advisory_xact_lock($1)`, lockKey("sequence"))
	batch.Queue(`INSERT INTO changes (payload_id) VALUES ($1)`, l.payload)
	for _, s := range l.series {
		if !s.newest.IsZero() {
			batch.Queue(`INSERT INTO changed_series (seq, instrument_id, interval, start)
				VALUES (currval(pg_get_serial_sequence('changes', 'seq')), $1, $2, $3)`, s.instrument, s.Interval, s.newest)
		}
	}
	return l.send(ctx, batch, "change")
}

// quarantine holds each flaw once, whichever payload shows it again.
func (l *loader) quarantine(ctx context.Context, list []market.Quarantined) error {
	batch := &pgx.Batch{}
	added := make([]int64, len(list))
	for i, q := range list {
		batch.Queue(`INSERT INTO quarantine (source, symbol, interval, start, raw, reason, loaded, payload_id, found_at, digest)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			text(q.Source), text(q.Symbol), text(q.Interval), q.Start, []byte(q.Raw), text(q.Reason), q.Loaded, l.payload, l.known,
			digest(q)).Exec(countInto(&added[i]))
	}
	if err := l.send(ctx, batch, "quarantine"); err != nil {
		return err
	}
	for i, q := range list {
		if q.Loaded {
			l.counts.Flagged += int(added[i])
		} else {
			l.counts.Rejected += int(added[i])
		}
	}
	return nil
}

// send runs the statements of a batch in one round trip.
func (l *loader) send(ctx context.Context, batch *pgx.Batch, what string) error {
	if batch.Len() == 0 {
		return nil
	}
	if err := l.tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
