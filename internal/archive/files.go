package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"bourse/internal/market"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// List iterates over the keys that begin with prefix, ascending.
func (a *Archive) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		list := a.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			object, err := list.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield("", fmt.Errorf("archive: %w", err))
				return
			}
			if !yield(object.Key, nil) {
				return
			}
		}
	}
}

// Read returns what lies under a key, without the checks of [Archive.Get], or
// [market.ErrNotFound].
func (a *Archive) Read(ctx context.Context, key string) ([]byte, error) {
	body, err := a.bucket.ReadAll(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fmt.Errorf("archive %s: %w", key, market.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("archive %s: %w", key, err)
	}
	return body, nil
}
