package pgtest

import (
	"errors"
	"testing"
)

// ErrNone is returned by [Start] where the machine has no PostgreSQL that it could run.
var ErrNone = errors.New("there is no PostgreSQL for tests")

// New starts a server for the length of a test, which is skipped where there is none.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := Start(settings...)
	Need(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Need skips a test that needs what came to [ErrNone], and fails it at any other error: a
// server that does not start, or a schema that does not come to be, is no reason to skip.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, ErrNone):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}
