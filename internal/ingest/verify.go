package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/internal/market"
)

// FindingKind is what is wrong.
type FindingKind string

// The kinds of finding.
const (
	// ObjectChanged: the bytes in the archive do not have the hash that they are named by.
	ObjectChanged FindingKind = "object_changed"
	// ObjectMissing: a receipt names bytes that the archive does not have.
	ObjectMissing FindingKind = "object_missing"
	// ReceiptUnreadable: a receipt is no JSON, or says something else than its name.
	ReceiptUnreadable FindingKind = "receipt_unreadable"
	// ValueDiffers: the store has another value than the archive gives.
	ValueDiffers FindingKind = "value_differs"
	// BarMissing: the archive gives a bar that the store does not have.
	BarMissing FindingKind = "bar_missing"
	// BarUnexplained: the store has a bar that no payload in the archive gives.
	BarUnexplained FindingKind = "bar_unexplained"
)

// Finding is one thing that is wrong in the archive or in the store.
type Finding struct {
	Kind    FindingKind
	Receipt string // name in the archive, for what is wrong there
	// SHA256 names the object; for a bar the payload that gives the derived value, or,
	// for one that is unexplained, the payload that the store says gave it.
	SHA256 string

	Symbol          string
	Action          market.ActionKind // for a corporate action; Start is then its day
	Interval        market.Interval
	Start           time.Time
	Stored, Derived string
}

// Verified is what Verify looked at.
type Verified struct {
	Source   string
	Receipts int
	Refused  int // payloads that brought nothing: error pages, changed formats, restatements that are held
	Objects  int
	Unnamed  int // objects without a receipt: left by a process that died between the two
	Values   int // bars and corporate actions of the store that are what the archive gives
	// Unproven counts bars of the store that cannot be compared, since what they come
	// from is missing, changed or unreadable in the archive; that is a finding of its own.
	Unproven int
	Findings int
}

// settled is the age from which on a receipt belongs to no run that is still going on.
const settled = time.Hour

// page is how many rows are asked for at once.
const page = 10000

// Verify hashes the archive of a source again, derives the series from it once more,
// in the order of receipt and through the same code as a run, and compares them with
// the store. It tells found of each thing that is wrong, and changes nothing.
//
// Old receipts are read while others write. For the newest ones and the comparison it
// takes the source's lock, for a second or so: [market.ErrLocked].
func (in *Ingester) Verify(ctx context.Context, src Source, found func(Finding) error) (Verified, error) {
	v := &verifier{
		cfg: in.cfg, src: src, model: model{}, lists: map[listKey]derivedList{}, named: map[string]bool{}, broken: map[string]bool{},
		report: Verified{Source: src.Info().Name},
	}
	v.found = func(f Finding) error {
		v.report.Findings++
		return found(f)
	}
	cut := in.cfg.Now().Add(-settled)
	if err := v.receipts(ctx, time.Time{}, cut); err != nil {
		return v.report, err
	}
	release, err := in.cfg.Store.Lock(ctx, v.report.Source)
	if err != nil {
		return v.report, fmt.Errorf("verify %s: %w", v.report.Source, err)
	}
	defer release()
	if err := v.receipts(ctx, cut, time.Time{}); err != nil {
		return v.report, err
	}
	if err := v.objects(ctx); err != nil {
		return v.report, err
	}
	if len(v.lost) > 0 {
		if err := v.trust(ctx); err != nil {
			return v.report, err
		}
	}
	if err := v.compare(ctx); err != nil {
		return v.report, err
	}
	return v.report, v.compareActions(ctx)
}

// verifier is one verification.
type verifier struct {
	cfg    Config
	src    Source
	model  model
	lists  map[listKey]derivedList
	named  map[string]bool // objects that a receipt names
	broken map[string]bool // objects that have been found missing or changed
	last   time.Time       // of the newest receipt that was dealt with
	lost   []receiptName   // those without readable bytes since trust was called
	found  func(Finding) error
	report Verified
}

// derive takes a payload into the model as loading took it into the store.
func (v *verifier) derive(ctx context.Context, p market.Payload, body []byte) error {
	batch, err := parse(v.src, p, body)
	if isFailure(err) {
		v.report.Refused++
		return nil
	}
	if err != nil {
		return err
	}
	batch.Payload = p
	validate(&batch, nil) // what it marks for review is loaded all the same
	counts, revised := v.model.count(batch)
	if len(v.lost) > 0 && counts.Inserted+counts.Revised > 0 {
		if err := v.trust(ctx); err != nil {
			return err
		}
		counts, revised = v.model.count(batch)
	}
	v.countActions(batch, &counts)
	if restated(counts) != nil {
		accepted, err := v.accepted(ctx, p, revised)
		if err == nil && !accepted {
			accepted, err = v.acceptedActions(ctx, p, batch)
		}
		if err != nil {
			return err
		}
		if !accepted {
			v.report.Refused++
			return nil
		}
	}
	v.model.load(batch)
	v.deriveActions(batch)
	return nil
}

// accepted reports whether a restatement is in the store. The rules alone would hold
// it, and so would they have when it came; but a person may have accepted it, and the
// archive does not know that. The store's lineage does: a payload that was loaded is
// named by each value that it revised, now or in its history, and one that was held is
// named by none. A few of them are asked, in case that one was tampered with.
func (v *verifier) accepted(ctx context.Context, p market.Payload, revised []barKey) (bool, error) {
	const few = 20
	for i := 0; i < len(revised); i += 1 + len(revised)/few {
		named, err := v.names(ctx, revised[i], func(version market.Version) bool {
			return version.Payload.SHA256 == p.SHA256 && version.KnownAt.UnixMicro() == p.ReceivedAt.UnixMicro()
		})
		if named || err != nil {
			return named, err
		}
	}
	return false, nil
}

// names reports whether the store has a version of a bar for which is is true.
func (v *verifier) names(ctx context.Context, key barKey, is func(market.Version) bool) (bool, error) {
	versions, err := v.cfg.Store.Versions(ctx, key.Symbol, key.Interval, time.Unix(key.start, 0).UTC())
	if errors.Is(err, market.ErrNotFound) {
		return false, nil
	}
	for _, version := range versions {
		if is(version) {
			return true, nil
		}
	}
	return false, err
}
