package ingest

import (
	"testing"
	"time"

	"bourse/internal/market"
)

func TestNextRun(t *testing.T) {
	src := market.Source{Calendar: market.TARGET, PublishAt: 16 * time.Hour, Zone: "Europe/Berlin"}
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	day := func(text string) time.Time { return at(text + "T00:00:00Z") }
	for name, c := range map[string]struct {
		now  string
		run  market.Run
		want string
	}{
		"up to date in the morning":          {"2026-04-13T06:00:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-10")}, "2026-04-13T14:00:00Z"},
		"up to date in the evening":          {"2026-04-13T15:00:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-13")}, "2026-04-14T14:00:00Z"},
		"before Easter":                      {"2026-04-02T15:00:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-02")}, "2026-04-07T14:00:00Z"},
		"in winter":                          {"2026-01-02T16:00:00Z", market.Run{Outcome: market.OK, Newest: day("2026-01-02")}, "2026-01-05T15:00:00Z"},
		"due":                                {"2026-04-13T14:01:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-10")}, "2026-04-13T14:06:00Z"},
		"late":                               {"2026-04-13T17:00:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-10")}, "2026-04-13T18:00:00Z"},
		"late, and the next one is near":     {"2026-04-14T13:30:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-10")}, "2026-04-14T14:00:00Z"},
		"ahead of the clock":                 {"2026-04-13T06:00:00Z", market.Run{Outcome: market.OK, Newest: day("2026-04-13")}, "2026-04-13T14:00:00Z"},
		"no answer":                          {"2026-04-13T06:00:00Z", market.Run{Outcome: market.RetryAfter}, "2026-04-13T06:02:00Z"},
		"asked to wait":                      {"2026-04-13T06:00:00Z", market.Run{Outcome: market.RetryAfter, RetryAt: at("2026-04-13T07:00:00Z")}, "2026-04-13T07:00:00Z"},
		"out of quota":                       {"2026-04-13T06:00:00Z", market.Run{Outcome: market.QuotaUntil, RetryAt: at("2026-04-14T04:00:00Z")}, "2026-04-14T04:00:00Z"},
		"needs a person":                     {"2026-04-13T06:00:00Z", market.Run{Outcome: market.NeedsPerson}, "2026-04-13T12:00:00Z"},
		"needs a person before publication":  {"2026-04-13T10:00:00Z", market.Run{Outcome: market.Permanent}, "2026-04-13T14:00:00Z"},
		"interrupted":                        {"2026-04-13T06:00:00Z", market.Run{Outcome: market.Interrupted}, "2026-04-13T06:02:00Z"},
		"no answer shortly before it is due": {"2026-04-13T13:59:00Z", market.Run{Outcome: market.RetryAfter}, "2026-04-13T14:00:00Z"},
	} {
		if got := NextRun(src, c.run, at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("%s: %s, want %s", name, got.UTC().Format(time.RFC3339), c.want)
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	received := time.Date(2026, 4, 13, 14, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "1e9": 0, "99999999999": 0,
		"Mon, 13 Apr 2026 14:01:30 GMT": 90 * time.Second, "Mon, 13 Apr 2026 13:00:00 GMT": 0,
	} {
		p := market.Payload{ReceivedAt: received, Header: map[string][]string{"Retry-After": {text}}}
		if got := retryAfter(p); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
