// Package archive keeps every byte that a source gave, before anything reads it.
//
// Bytes lie under their own SHA-256, written once:
//
//	ecb/objects/3f/3fa9…            the bytes
//	ecb/receipts/2026/04/13/…json   who said so: URL, status, headers, time, hash
//
// There is one receipt for each time that bytes were received. So the archive also
// knows that a source said A, then B, then A again, and a store can be rebuilt from
// it alone, in order. A receipt is written after its bytes: one that can be read can
// be replayed.
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"bourse/internal/market"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"
)

// Archive is a bucket of payloads. It is safe for concurrent use.
type Archive struct{ bucket *blob.Bucket }

// Open opens the archive at a URL of gocloud.dev/blob: file:///var/lib/bourse/archive,
// s3://bucket?region=eu-central-1, or mem://. A folder is created where it is missing,
// a bucket is not.
func Open(ctx context.Context, archiveURL string) (*Archive, error) {
	archiveURL, err := withDefaults(archiveURL)
	if err != nil {
		return nil, err
	}
	bucket, err := blob.OpenBucket(ctx, archiveURL)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return &Archive{bucket}, nil
}

// Close closes the archive.
func (a *Archive) Close() error { return a.bucket.Close() }

// Put keeps a payload and its receipt.
func (a *Archive) Put(ctx context.Context, p market.Payload, body []byte) error {
	if p.SHA256 != market.SHA256(body) {
		return errors.New("archive: the hash is not that of the bytes")
	}
	if err := a.create(ctx, objectKey(p.Source, p.SHA256), body, "application/octet-stream"); err != nil {
		return err
	}
	text, err := json.MarshalIndent(receipt{
		Source: p.Source, Resource: p.Resource, URL: p.URL, Status: p.Status, Header: p.Header,
		ReceivedAt: p.ReceivedAt, SHA256: p.SHA256, Size: p.Size, Run: p.RunID,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return a.create(ctx, receiptKey(p), append(text, '\n'), "application/json")
}

// create writes a key that must not be there yet. Where it is, it has these bytes.
func (a *Archive) create(ctx context.Context, key string, body []byte, contentType string) error {
	err := a.bucket.WriteAll(ctx, key, body, &blob.WriterOptions{ContentType: contentType, IfNotExist: true})
	if err == nil || gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return nil
	}
	return refused(fmt.Errorf("archive %s: %w", key, err))
}

// refused says of an error that somebody has to mend the bucket or the rights to it, where
// that is so: waiting does not help then. Others may pass.
func refused(err error) error {
	var elsewhere interface{ ErrorCode() string } // of the AWS SDK
	code := gcerrors.Code(err)
	if code == gcerrors.NotFound || code == gcerrors.PermissionDenied || // no such bucket, access denied
		errors.As(err, &elsewhere) && elsewhere.ErrorCode() == "PermanentRedirect" { // it is in another region
		return &market.Failure{Outcome: market.NeedsPerson, Reason: "the archive refuses to be written to", Err: err}
	}
	return err
}

// Get returns the bytes with a hash, or [market.ErrNotFound]. Bytes that have
// changed in the archive are an error.
func (a *Archive) Get(ctx context.Context, source, sha256 string) ([]byte, error) {
	body, err := a.Read(ctx, objectKey(source, sha256))
	if err != nil {
		return nil, err
	}
	if market.SHA256(body) != sha256 {
		return nil, fmt.Errorf("archive: the bytes of %s have changed", sha256)
	}
	return body, nil
}

// Receipts iterates over the receipts of a source since a day, in the order of time.
func (a *Archive) Receipts(ctx context.Context, source string, since time.Time) iter.Seq2[market.Payload, error] {
	return func(yield func(market.Payload, error) bool) {
		for key, err := range a.List(ctx, source+"/receipts/") {
			if err == nil && (!strings.HasSuffix(key, ".json") || // left behind by a write that was cut off
				key < source+"/receipts/"+since.UTC().Format(receiptDay)) {
				continue
			}
			var p market.Payload
			if err == nil {
				p, err = a.receipt(ctx, key)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (a *Archive) receipt(ctx context.Context, key string) (market.Payload, error) {
	text, err := a.Read(ctx, key)
	if err != nil {
		return market.Payload{}, err
	}
	var r receipt
	if err := json.Unmarshal(text, &r); err != nil {
		return market.Payload{}, fmt.Errorf("archive %s: %w", key, err)
	}
	return market.Payload{
		RunID: r.Run, Source: r.Source, Resource: r.Resource, URL: r.URL, Status: r.Status, Header: r.Header,
		ReceivedAt: r.ReceivedAt, SHA256: r.SHA256, Size: r.Size,
	}, nil
}
