package market_test

import (
	"cmp"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/replaytest"
)

func TestXNYS(t *testing.T) {
	closed := "1990-01-01 1994-04-27 1998-01-19 1999-12-24 2001-09-11 2001-09-14 2004-06-11 2007-01-02 2012-10-29 " +
		"2012-10-30 2015-04-03 2018-12-05 2020-07-03 2021-07-05 2021-12-24 2022-06-20 2022-12-26 2023-01-02 2024-03-29 " +
		"2024-05-27 2024-11-28 2025-01-09 2025-01-20 2026-02-16 2026-06-19 2026-07-03 2026-09-07 2026-11-26 2027-06-18 2026-04-11"
	for text := range strings.FieldsSeq(closed) {
		if market.XNYS.Open(day(t, text)) {
			t.Errorf("%s is open", text)
		}
	}
	open := "1993-12-31 1997-01-20 1999-12-31 2001-09-10 2001-09-17 2004-12-31 2010-12-31 2012-10-31 2021-06-18 2021-12-31 " +
		"2022-01-03 2024-02-12 2024-04-01 2024-10-14 2024-11-05 2024-11-11 2027-12-31"
	for text := range strings.FieldsSeq(open) {
		if !market.XNYS.Open(day(t, text)) {
			t.Errorf("%s is closed", text)
		}
	}
	if got := market.XNYS.After(day(t, "2001-09-10")); got != day(t, "2001-09-17") {
		t.Errorf("after 10 September 2001 comes %s", got)
	}
}

// TestClose: the ends of sessions in UTC, before and after the clocks change, on short days
// and on days beside them that are not.
func TestClose(t *testing.T) {
	for text, want := range map[string]string{
		"1990-12-24": "19:00", "1991-11-29": "21:00", "1992-11-27": "19:00", "1993-11-26": "18:00", "1995-07-03": "17:00",
		"1996-07-03": "20:00", "1996-07-05": "17:00", "1997-10-27": "20:30", "1997-12-26": "18:00", "1999-12-31": "18:00",
		"2002-07-03": "20:00", "2002-07-05": "17:00", "2003-12-26": "18:00", "2008-12-26": "21:00", "2012-07-03": "17:00",
		"2013-07-03": "17:00", "2013-07-05": "20:00", "2020-07-02": "20:00", "2024-12-24": "18:00", "2024-12-31": "21:00",
		"2025-11-28": "18:00", "2026-03-06": "21:00", "2026-03-09": "20:00", "2026-10-30": "20:00", "2026-11-02": "21:00",
	} {
		if got := market.XNYS.Close(day(t, text)).UTC(); got.Format("15:04") != want || market.DateOf(got) != day(t, text) {
			t.Errorf("%s ends at %s, want %s", text, got, want)
		}
	}
	for _, c := range []market.Calendar{market.TARGET, market.EveryDay} {
		if got := c.Close(day(t, "2026-04-13")); !got.Equal(day(t, "2026-04-14").Time()) {
			t.Errorf("%s: 2026-04-13 ends at %s", c, got)
		}
	}
}

// TestXNYSSessions compares with the days on which SPY, the most traded of all funds,
// really traded: those days and no other.
func TestXNYSSessions(t *testing.T) {
	var traded []market.Date
	for _, bar := range leanBars(t, "spy") {
		traded = append(traded, market.DateOf(bar.Start))
	}
	told := market.XNYS.Days(traded[0], traded[len(traded)-1])
	for _, d := range union(told, traded) {
		if a, b := slices.Contains(told, d), slices.Contains(traded, d); a != b {
			t.Errorf("%s: open %t, traded %t", d, a, b)
		}
	}
	t.Logf("%d sessions from %s to %s", len(traded), traded[0], traded[len(traded)-1])
}

// TestXNYSListed compares with the holidays and the early closings that Lean lists. It
// lists weekends too, which say nothing, and misses these early closings:
//
//   - 1998-11-27 and 1998-12-24: it has none before 1999-11-26. The exchange's own record
//     has both, and SPY traded on the latter a fifth of what it did the day before.
//   - 1999-12-31: the exchange announced it on 1999-06-04 ("to close the market at 1:00pm").
func TestXNYSListed(t *testing.T) {
	text, err := os.ReadFile(replaytest.Data(t, "lean/market-hours/market-hours-subset.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Entries map[string]struct {
			Holidays    []string
			EarlyCloses map[string]string
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	holidays := map[market.Date]bool{}
	for _, d := range file.Entries["Equity-usa-[*]"].Holidays {
		holidays[leanDay(t, "1/2/2006", d)] = true
	}
	ends := map[market.Date]string{
		day(t, "1998-11-27"): "13:00:00", day(t, "1998-12-24"): "13:00:00", day(t, "1999-12-31"): "13:00:00",
	}
	for d, at := range file.Entries["Equity-usa-[*]"].EarlyCloses {
		if on := leanDay(t, "1/2/2006", d); ends[on] == "" {
			ends[on] = at
		} else {
			t.Errorf("%s is listed by now", on)
		}
	}
	if len(holidays) < 250 || len(ends) < 60 {
		t.Fatalf("%d holidays and %d early closings are listed", len(holidays), len(ends))
	}
	for d := day(t, "1998-01-01"); d <= day(t, "2028-12-31"); d++ {
		if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
			continue
		}
		if told, listed := !market.XNYS.Open(d), holidays[d]; told != listed {
			t.Errorf("holiday on %s: told %t, listed %t", d, told, listed)
		}
		told := market.XNYS.Close(d).Format(time.TimeOnly)
		if listed := cmp.Or(ends[d], "16:00:00"); market.XNYS.Open(d) && told != listed {
			t.Errorf("%s ends at %s, listed %s", d, told, listed)
		}
	}
}

func union(a, b []market.Date) []market.Date {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
