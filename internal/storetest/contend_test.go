package storetest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bourse/internal/sqlite"
	"bourse/internal/storetest"
)

func TestContendForSQLite(t *testing.T) {
	length := 3 * time.Second
	if os.Getenv("BOURSE_TEST_LONG") != "" {
		length = 30 * time.Second
	}
	path := filepath.Join(t.TempDir(), "bourse.db")
	storetest.Contend(t, func(t *testing.T) storetest.Store {
		s, err := sqlite.Open("sqlite://" + path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}, 8, 16, length)
}
