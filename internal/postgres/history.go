package postgres

import (
	"context"
	"fmt"
)

// Of each late value its place in the history: the version before it, the one after it
// (a revision, or else the current value), and whether it says anything new.
const placed = `SELECT d.*, after.known_at AS revision_at, coalesce(after.payload_id, b.payload_id) AS replaced_by,
		CASE WHEN after.start IS NULL
			THEN (b.open, b.high, b.low, b.close, b.volume, b.provisional)
				IS NOT DISTINCT FROM (d.open, d.high, d.low, d.close, d.volume, d.provisional)
			ELSE (after.open, after.high, after.low, after.close, after.volume, after.provisional)
				IS NOT DISTINCT FROM (d.open, d.high, d.low, d.close, d.volume, d.provisional)
		END AS confirmed
	FROM differing d JOIN bars b ON ` + sameBar + `
	LEFT JOIN LATERAL (SELECT * FROM revisions r WHERE r.instrument_id = d.instrument_id AND r.interval = d.interval
		AND r.start = d.start AND r.known_at <= $1 ORDER BY r.known_at DESC LIMIT 1) before ON true
	LEFT JOIN LATERAL (SELECT * FROM revisions r WHERE r.instrument_id = d.instrument_id AND r.interval = d.interval
		AND r.start = d.start AND r.known_at > $1 ORDER BY r.known_at LIMIT 1) after ON true
	WHERE d.stored_at > $1 AND (before.start IS NULL
		OR (before.open, before.high, before.low, before.close, before.volume, before.provisional)
			IS DISTINCT FROM (d.open, d.high, d.low, d.close, d.volume, d.provisional))`

// fillHistory puts values that were received before the current ones into the history,
// where the history does not say so already. A value that the version after it repeats
// dates that version back.
func (l *loader) fillHistory(ctx context.Context) error {
	var filled int
	err := l.tx.QueryRow(ctx, `WITH placed AS MATERIALIZED (`+placed+`),
		current AS (UPDATE bars b SET known_at = $1, payload_id = $2 FROM placed d
			WHERE d.confirmed AND d.revision_at IS NULL AND `+sameBar+`),
		former AS (UPDATE revisions b SET known_at = $1, payload_id = $2 FROM placed d
			WHERE d.confirmed AND b.known_at = d.revision_at AND `+sameBar+`
				AND NOT EXISTS (SELECT 1 FROM revisions o WHERE o.instrument_id = d.instrument_id AND o.interval = d.interval
					AND o.start = d.start AND o.known_at = $1)),
		filled AS (INSERT INTO revisions (`+barColumnsIn+`, known_at, payload_id, replaced_by)
			SELECT `+barColumnsIn+`, $1, $2, replaced_by FROM placed WHERE NOT confirmed ON CONFLICT DO NOTHING RETURNING 1)
		SELECT count(*) FROM filled`, planned, l.known, l.payload).Scan(&filled)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	l.counts.Revised += filled
	return nil
}
