package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"bourse/internal/market"
)

// KeyStore keeps API keys.
type KeyStore interface {
	Key(ctx context.Context, hash string) (market.Key, error)
	Keys(ctx context.Context) ([]market.Key, error)
	SaveKey(ctx context.Context, k market.Key) error
	RevokeKey(ctx context.Context, id string, at time.Time) error
}

// RunKeys runs the suite of stores of keys. reopen returns another handle on the same
// data, as a second process has.
func RunKeys(t *testing.T, store KeyStore, reopen func() KeyStore) {
	ctx := t.Context()
	now := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	first, secret := market.NewKey("research", []string{"coinbase", "alphavantage"}, now)
	second, _ := market.NewKey("everything", []string{market.AllSources}, now.Add(time.Hour))
	for _, k := range []market.Key{second, first} {
		if err := store.SaveKey(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.SaveKey(ctx, first); err == nil {
		t.Error("a key was saved twice")
	}
	if _, err := store.Key(ctx, market.SHA256([]byte("bourse_other"))); !errors.Is(err, market.ErrNotFound) {
		t.Errorf("a key that is none: got %v, want ErrNotFound", err)
	}
	if err := store.RevokeKey(ctx, "nobody", now); !errors.Is(err, market.ErrNotFound) {
		t.Errorf("revoke a key that is none: got %v, want ErrNotFound", err)
	}
	other := reopen()
	for range 2 { // revoking again changes nothing
		if err := store.RevokeKey(ctx, first.ID, now.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	k, err := other.Key(ctx, market.SHA256([]byte(secret)))
	if err != nil || k.ID != first.ID || k.Name != "research" || !k.CreatedAt.Equal(first.CreatedAt) ||
		!k.RevokedAt.Equal(first.CreatedAt.Add(2*time.Hour)) || !k.MayRead("coinbase") || k.MayRead("ecb") {
		t.Errorf("read back as %+v, %v", k, err)
	}
	list, err := other.Keys(ctx)
	if err != nil || len(list) != 2 || list[0].ID != first.ID || list[1].ID != second.ID || !list[1].RevokedAt.IsZero() || !list[1].MayRead("ecb") {
		t.Errorf("listed as %+v, %v", list, err)
	}
}
