package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"bourse/internal/market"
)

// lateBars returns the bars of a series for which the store has a value that was
// received after this payload. There are none when payloads are loaded in the
// order of their receipt.
func (l *loader) lateBars(ctx context.Context, id int64, series market.Series) ([]market.Bar, error) {
	if len(series.Bars) == 0 {
		return nil, nil
	}
	newer := map[int64]bool{}
	err := each(ctx, l.tx, func(rows *sql.Rows) error {
		var at int64
		err := rows.Scan(&at)
		newer[at] = true
		return err
	}, `SELECT start FROM bars WHERE instrument_id = ? AND interval = ? AND start BETWEEN ? AND ? AND known_at > ?`,
		id, series.Interval, series.Bars[0].Start.Unix(), series.Bars[len(series.Bars)-1].Start.Unix(), l.known)
	if err != nil || len(newer) == 0 {
		return nil, err
	}
	var late []market.Bar
	for _, bar := range series.Bars {
		if newer[bar.Start.Unix()] {
			late = append(late, bar)
		}
	}
	return late, nil
}

// fillHistory puts a value that was received before the current one into the
// history, where the history does not say so already, and returns 1 if it did.
func (l *loader) fillHistory(ctx context.Context, id int64, interval market.Interval, bar market.Bar) (int64, error) {
	versions, err := versions(ctx, l.tx, id, interval, bar.Start)
	if err != nil {
		return 0, err
	}
	next := versions[0] // the oldest one that was received after the bar
	for _, v := range versions {
		if v.KnownAt.UnixMicro() <= l.known {
			if v.Same(bar) {
				return 0, nil
			}
			break
		}
		next = v
	}
	if next.Same(bar) {
		return 0, l.learntEarlier(ctx, id, interval, next)
	}
	_, err = l.tx.ExecContext(ctx, `INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		id, interval, bar.Start.Unix(), l.known, bar.Open.String(), bar.High.String(), bar.Low.String(), bar.Close.String(),
		volume(bar.Volume), bar.Provisional, l.payload, next.Payload.ID)
	if err != nil {
		return 0, fmt.Errorf("revision: %w", err)
	}
	return 1, nil
}

// learntEarlier dates a version back to this payload, which says the same.
func (l *loader) learntEarlier(ctx context.Context, id int64, interval market.Interval, v market.Version) error {
	table := "revisions"
	if v.Current {
		table = "bars"
	}
	_, err := l.tx.ExecContext(ctx, `UPDATE `+table+` SET known_at = ?, payload_id = ?
		WHERE instrument_id = ? AND interval = ? AND start = ? AND known_at = ?`,
		l.known, l.payload, id, interval, v.Start.Unix(), v.KnownAt.UnixMicro())
	if err != nil {
		return fmt.Errorf("revision: %w", err)
	}
	return nil
}
