package market

import (
	"testing"
	"time"
)

func TestOverdue(t *testing.T) {
	ecb := Source{Calendar: TARGET, PublishAt: 16 * time.Hour, Zone: "Europe/Berlin"}
	polled := Source{Calendar: EveryDay, Zone: "UTC", Poll: 5 * time.Minute}
	for _, c := range []struct {
		what        string
		source      Source
		newest, now string
		want        time.Duration
	}{
		{"the day's value is not out yet", ecb, "2026-04-08T00:00:00Z", "2026-04-09T13:59:59Z", 0},
		{"it is out and not here", ecb, "2026-04-08T00:00:00Z", "2026-04-09T14:30:00Z", 30 * time.Minute},
		{"it is here", ecb, "2026-04-09T00:00:00Z", "2026-04-09T14:30:00Z", 0},
		{"a weekend", ecb, "2026-04-10T00:00:00Z", "2026-04-13T13:00:00Z", 0},
		{"Easter", ecb, "2026-04-02T00:00:00Z", "2026-04-07T13:00:00Z", 0},
		{"the oldest of several counts", ecb, "2026-04-08T00:00:00Z", "2026-04-10T14:30:00Z", 24*time.Hour + 30*time.Minute},
		{"nothing at all", ecb, "", "2026-04-09T14:30:00Z", 30 * time.Minute},
		{"two polls ago", polled, "2026-04-09T14:20:00Z", "2026-04-09T14:30:00Z", 0},
		{"an hour ago", polled, "2026-04-09T13:30:00Z", "2026-04-09T14:30:00Z", 50 * time.Minute},
		{"polled in vain", polled, "", "2026-04-09T14:30:00Z", 14*time.Hour + 30*time.Minute},
	} {
		if got := c.source.Overdue(instant(t, c.newest), instant(t, c.now)); got != c.want {
			t.Errorf("%s: %v overdue, want %v", c.what, got, c.want)
		}
	}
	status := SourceStatus{Source: polled, Newest: instant(t, "2026-04-09T00:00:00Z"), LastRun: &Run{Newest: instant(t, "2026-04-09T14:29:00Z")}}
	if got := status.Overdue(instant(t, "2026-04-09T14:30:00Z")); got != 0 {
		t.Errorf("with a bar of a minute ago: %v overdue", got)
	}
}

// instant reads a time, "" being none.
func instant(t *testing.T, text string) (at time.Time) {
	t.Helper()
	if text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			t.Fatal(err)
		}
	}
	return at
}
