package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bourse/internal/market"
)

// TestFile renews a secret in a file under a Secret that was opened before.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	s := Open("file://" + path)
	var f *market.Failure
	if _, err := s.Value(t.Context()); !errors.As(err, &f) || f.Outcome != market.NeedsPerson {
		t.Errorf("a file that is not there: %v", err)
	}
	for _, want := range []string{"old", "new"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Value(t.Context()); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Value(t.Context()); err == nil {
		t.Errorf("an empty file gives %q", got)
	}
}

func TestLiteral(t *testing.T) {
	s := Open("literal")
	if got, err := s.Value(t.Context()); err != nil || got != "literal" {
		t.Errorf("%q, %v", got, err)
	}
	if changed, err := s.Renew(t.Context()); changed || err != nil {
		t.Errorf("a literal was renewed: %v, %v", changed, err)
	}
}

// TestKept reads a secret once, until it is renewed or has been kept for long enough, and
// goes on with it where it cannot be read again.
func TestKept(t *testing.T) {
	reads, stored := 0, "one"
	var broken error
	s := &Secret{keep: time.Hour, read: func(context.Context) (string, error) {
		reads++
		return stored, broken
	}}
	expect := func(wantReads int, want string) {
		t.Helper()
		if got, err := s.Value(t.Context()); err != nil || got != want || reads != wantReads {
			t.Errorf("%q after %d readings, %v; want %q after %d", got, reads, err, want, wantReads)
		}
	}
	expect(1, "one")
	stored = "two"
	expect(1, "one")
	if changed, err := s.Renew(t.Context()); !changed || err != nil {
		t.Errorf("changed: %v, %v", changed, err)
	}
	expect(2, "two")
	if changed, err := s.Renew(t.Context()); changed || err != nil {
		t.Errorf("nothing changed: %v, %v", changed, err)
	}
	s.readAt = s.readAt.Add(-time.Hour)
	stored = "three"
	expect(4, "three")
	s.readAt = s.readAt.Add(-time.Hour)
	broken = errors.New("down")
	expect(5, "three")
	if changed, err := s.Renew(t.Context()); changed || err == nil {
		t.Errorf("renewed while it cannot be read: %v, %v", changed, err)
	}
}
