package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestPagesAreOneBigPage reads series in pages of many sizes and both orders.
func TestPagesAreOneBigPage(t *testing.T) {
	f := newFixture(t)
	for _, base := range []string{
		"/api/v1/bars/EURUSD?interval=1d", "/api/v1/bars/EURUSD?from=2025-01-01&to=2025-06-01", "/api/v1/bars/BTC-USD?interval=1h",
		"/api/v1/bars/BTC-USD?interval=1h&from=2026-03-17T05:00:00Z&to=2026-03-18",
	} {
		for _, order := range []string{"asc", "desc"} {
			target := base + "&order=" + order
			var whole page
			f.read(t, target+"&limit=10000", &whole)
			if len(whole.Bars) < 10 || whole.Next != "" {
				t.Fatalf("%s: %d bars, next is %q", target, len(whole.Bars), whole.Next)
			}
			up := slices.IsSortedFunc(whole.Bars, func(a, b bar) int { return strings.Compare(a.Start, b.Start) })
			if up != (order == "asc") {
				t.Errorf("%s: ascending: %t", target, up)
			}
			for _, limit := range []string{"7", "19", "100", "9999"} {
				sameBars(t, f.follow(t, target+"&limit="+limit), whole.Bars)
			}
		}
	}
	// The last page is full and has no next.
	var all page
	f.read(t, "/api/v1/bars/BTC-USD?interval=1h&limit=50", &all)
	if len(all.Bars) != hours || all.Next != "" {
		t.Errorf("%d bars on a page of %d, next is %q", len(all.Bars), hours, all.Next)
	}
}

// TestInstrumentPages does the same with a list whose position is a name.
func TestInstrumentPages(t *testing.T) {
	f := newFixture(t)
	type instruments struct {
		Instruments []struct{ Symbol string }
		Next        *string
	}
	var whole, got instruments
	f.read(t, "/api/v1/instruments", &whole)
	for target := "/api/v1/instruments?limit=2"; ; {
		var p instruments
		f.read(t, target, &p)
		got.Instruments = append(got.Instruments, p.Instruments...)
		if p.Next == nil {
			break
		}
		target = "/api/v1/instruments?limit=2&cursor=" + *p.Next
	}
	if !slices.Equal(got.Instruments, whole.Instruments) {
		t.Errorf("in pages %v, in one %v", got.Instruments, whole.Instruments)
	}
}

// follow reads pages until there is no next one, by the header that CSV has too.
func (f *fixture) follow(t *testing.T, target string) []bar {
	t.Helper()
	var bars []bar
	for {
		w := f.get(target)
		var p page
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", target, w.Code, w.Body)
		}
		bars = append(bars, p.Bars...)
		link := w.Header().Get("Link")
		if (p.Next == "") != (link == "") {
			t.Fatalf("%s: next is %q, Link is %q", target, p.Next, link)
		}
		if link == "" {
			return bars
		}
		if len(p.Bars) == 0 {
			t.Fatalf("%s: a page without bars has a next one", target)
		}
		target, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
	}
}

func sameBars(t *testing.T, got, want []bar) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%d bars are not the %d that were expected", len(got), len(want))
	}
}
