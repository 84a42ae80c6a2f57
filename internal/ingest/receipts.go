package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"bourse/internal/market"
)

// The layout of the archive is read here by what its package says of it and not by
// the code that writes it, so that a mistake there is found too.

const receiptTime = "2006/01/02/150405.000000"

// receiptName is what the name of a receipt says.
type receiptName struct {
	name string
	at   time.Time
	hash string // the first digits
}

func parseReceiptName(source, name string) (receiptName, error) {
	text, ok := strings.CutSuffix(strings.TrimPrefix(name, source+"/receipts/"), ".json")
	stamp, hash, cut := strings.Cut(text, "-")
	at, err := time.Parse(receiptTime, stamp)
	if !ok || !cut || err != nil {
		return receiptName{}, errors.New("not the name of a receipt")
	}
	return receiptName{name, at, hash}, nil
}

// payload reads a receipt. It must say what its name says.
func (n receiptName) payload(source string, text []byte) (market.Payload, error) {
	var r struct {
		Source, Resource, URL, SHA256 string
		Status                        int
		Header                        map[string][]string
		ReceivedAt                    time.Time `json:"received_at"`
		Size                          int64
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return market.Payload{}, fmt.Errorf("receipt: %w", err)
	}
	if r.Source != source || !strings.HasPrefix(r.SHA256, n.hash) || r.ReceivedAt.UnixMicro() != n.at.UnixMicro() {
		return market.Payload{}, errors.New("the receipt says something else than its name")
	}
	return market.Payload{
		Source: r.Source, Resource: r.Resource, URL: r.URL, Status: r.Status, Header: r.Header,
		ReceivedAt: r.ReceivedAt, SHA256: r.SHA256, Size: r.Size,
	}, nil
}

// receipts reads the receipts from one time up to another, a zero time being none,
// and derives the series from their payloads.
func (v *verifier) receipts(ctx context.Context, from, to time.Time) error {
	source := v.report.Source
	for name, err := range v.cfg.Archive.List(ctx, source+"/receipts/") {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(name, ".json") { // left behind by a write that was cut off
			continue
		}
		n, err := parseReceiptName(source, name)
		switch {
		case err == nil && !n.at.Before(from) && (to.IsZero() || n.at.Before(to)):
			err = v.receipt(ctx, n)
			v.last = n.at
		case err != nil && from.IsZero(): // it has no time; only the first pass tells of it
			err = v.unreadable(name)
		default:
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) unreadable(name string) error {
	v.report.Receipts++
	return v.found(Finding{Kind: ReceiptUnreadable, Receipt: name})
}

// receipt verifies one receipt and its object. An error of the archive itself ends
// the verification: it is no finding.
func (v *verifier) receipt(ctx context.Context, n receiptName) error {
	text, err := v.cfg.Archive.Read(ctx, n.name)
	if err != nil {
		return err
	}
	p, err := n.payload(v.report.Source, text)
	if err != nil {
		v.lost = append(v.lost, n)
		return v.unreadable(n.name)
	}
	v.report.Receipts++
	v.cfg.Progress(Progress{Source: v.report.Source, Step: "receipts", Done: v.report.Receipts, Item: n.at.Format(time.DateTime)})
	v.named[p.SHA256] = true
	body, err := v.cfg.Archive.Read(ctx, fmt.Sprintf("%s/objects/%.2s/%s", p.Source, p.SHA256, p.SHA256))
	kind := ObjectChanged
	switch {
	case errors.Is(err, market.ErrNotFound):
		kind = ObjectMissing
	case err != nil:
		return err
	case market.SHA256(body) == p.SHA256:
		return v.derive(ctx, p, body)
	}
	v.lost = append(v.lost, n)
	if v.broken[p.SHA256] { // which several receipts may name
		return nil
	}
	v.broken[p.SHA256] = true
	return v.found(Finding{Kind: kind, Receipt: n.name, SHA256: p.SHA256})
}

// objects counts the objects and those among them that no receipt names.
func (v *verifier) objects(ctx context.Context) error {
	prefix := v.report.Source + "/objects/"
	for name, err := range v.cfg.Archive.List(ctx, prefix) {
		if err != nil {
			return err
		}
		v.report.Objects++
		if !v.named[name[strings.LastIndexByte(name, '/')+1:]] {
			v.report.Unnamed++
		}
	}
	return nil
}
