package postgres_test

import (
	"os"
	"testing"
	"time"

	"bourse/internal/storetest"
)

func TestContend(t *testing.T) {
	length := 3 * time.Second
	if os.Getenv("BOURSE_TEST_LONG") != "" {
		length = 30 * time.Second
	}
	url := database(t)
	storetest.Contend(t, func(t *testing.T) storetest.Store { return open(t, url) }, 8, 16, length)
}
