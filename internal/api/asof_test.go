package api_test

import (
	"net/url"
	"testing"
	"time"

	"bourse/internal/market"
)

// TestAsOf corrects a value twice and asks what was known before, between and after.
func TestAsOf(t *testing.T) {
	f := newFixture(t)
	day := market.NewDate(2026, 3, 5)
	first := f.upstream.Rate("USD", day)
	known := []time.Time{f.now}
	for _, rate := range []string{"1.0999", "1.1001"} {
		f.upstream.Set("USD", day, rate)
		f.run(t)
		known = append(known, f.now)
	}
	want, err := market.ParseDecimal(first)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(at time.Time) []bar {
		var p page
		f.read(t, "/api/v1/bars/EURUSD?from=2026-03-05&to=2026-03-06&as_of="+url.QueryEscape(at.Format(time.RFC3339Nano)), &p)
		return p.Bars
	}
	if got := ask(known[0].Add(-time.Microsecond)); len(got) > 0 {
		t.Errorf("before anything came: %v", got)
	}
	east := time.FixedZone("", 2*60*60)
	for i, want := range []string{want.String(), "1.0999", "1.1001"} {
		for _, at := range []time.Time{known[i], known[i].Add(30 * time.Second), known[i].In(east)} {
			if got := ask(at); len(got) != 1 || string(got[0].Close) != want {
				t.Errorf("as of %s: %v, want %s", at, got, want)
			}
		}
	}
	var now page
	f.read(t, "/api/v1/bars/EURUSD?from=2026-03-05&to=2026-03-06", &now)
	if len(now.Bars) != 1 || now.Bars[0].Close != "1.1001" {
		t.Errorf("now: %v", now.Bars)
	}
}

// TestAsOfPages asks for a whole series as it was, in pages.
func TestAsOfPages(t *testing.T) {
	f := newFixture(t)
	before := url.QueryEscape(f.now.Format(time.RFC3339Nano))
	var was page
	f.read(t, "/api/v1/bars/EURUSD?limit=10000", &was)
	f.upstream.Set("USD", market.NewDate(2026, 3, 5), "1.0999")
	f.upstream.Publish()
	f.now = f.now.Add(24 * time.Hour)
	f.run(t)
	sameBars(t, f.follow(t, "/api/v1/bars/EURUSD?limit=100&as_of="+before), was.Bars)
	var is page
	f.read(t, "/api/v1/bars/EURUSD?limit=10000", &is)
	if len(is.Bars) != len(was.Bars)+1 {
		t.Errorf("there are %d bars, there were %d", len(is.Bars), len(was.Bars))
	}
}
