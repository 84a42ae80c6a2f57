package postgres_test

import (
	"testing"
	"time"

	"bourse/internal/market"
)

// TestSpendIsSilent makes sure that nobody is told when a request is taken: what is kept
// of the store's answers stays good.
func TestSpendIsSilent(t *testing.T) {
	url := database(t)
	s, other := open(t, url), open(t, url)
	db := connection(t, url)
	_, err := db.Exec(t.Context(), `LISTEN bourse_commits`)
	must(t, err)
	before, err := s.Version(t.Context())
	must(t, err)
	_, err = s.Spend(t.Context(), "coinbase", market.NewDate(2026, 3, 2), 10, time.Now())
	must(t, err)
	after, err := s.Version(t.Context())
	must(t, err)
	if after != before {
		t.Error("it changed the version")
	}
	// Notifications come in the order of the commits, each with the name of its store.
	var names [2]string
	for i := range names {
		begin(t, other, "coinbase")
		n, err := db.WaitForNotification(t.Context())
		must(t, err)
		names[i] = n.Payload
	}
	if names[0] != names[1] {
		t.Error("it was notified")
	}
}
