package postgres

import (
	"context"
	"fmt"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// lockSimulated must come first in a transaction that writes for a source. Simulated
// and real bars never come in at once: whoever is second waits, and sees what the
// first has done.
func lockSimulated(ctx context.Context, tx pgx.Tx, source string) error {
	query := `SELECT pg_advisory_xact_lock_shared($1)`
	if source == market.Simulated {
		query = `SELECT pg_advisory_xact_lock($1)`
	}
	if _, err := tx.Exec(ctx, query, lockKey("simulated")); err != nil {
		return fmt.Errorf("lock simulated: %w", err)
	}
	return nil
}

// dropSimulated removes the simulated source once real instruments arrive, and keeps
// simulated ones out of a store that has any.
func dropSimulated(ctx context.Context, tx pgx.Tx, b market.Batch) error {
	if err := lockSimulated(ctx, tx, b.Payload.Source); err != nil {
		return err
	}
	var simulated, actual bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM sources WHERE name = 'simulated'),
		EXISTS (SELECT 1 FROM instruments WHERE source <> 'simulated')`).Scan(&simulated, &actual)
	if err != nil {
		return fmt.Errorf("simulated: %w", err)
	}
	if b.Payload.Source == market.Simulated {
		if actual {
			return market.ErrRealData
		}
		return nil
	}
	if !simulated || len(b.Instruments) == 0 {
		return nil
	}
	// Loads of two real sources may come here at once. The second finds nothing left.
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey("drop simulated")); err != nil {
		return fmt.Errorf("drop simulated: %w", err)
	}
	const instruments = `(SELECT id FROM instruments WHERE source = 'simulated')`
	const payloads = `(SELECT id FROM payloads WHERE source = 'simulated')`
	for _, statement := range []string{
		`DELETE FROM changed_series WHERE instrument_id IN ` + instruments,
		`DELETE FROM changes WHERE payload_id IN ` + payloads,
		`DELETE FROM quarantine WHERE payload_id IN ` + payloads,
		`DELETE FROM bars WHERE instrument_id IN ` + instruments,
		`DELETE FROM revisions WHERE instrument_id IN ` + instruments,
		`DELETE FROM actions WHERE instrument_id IN ` + instruments,
		`DELETE FROM instruments WHERE source = 'simulated'`,
		`DELETE FROM payloads WHERE source = 'simulated'`,
		`DELETE FROM runs WHERE source = 'simulated'`,
		`DELETE FROM sources WHERE name = 'simulated'`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("drop simulated: %w", err)
		}
	}
	return nil
}
