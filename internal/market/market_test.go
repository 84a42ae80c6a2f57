package market

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
)

func date(text string) Date {
	d, err := ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"1.1684": "1.1684", "366.90": "366.9", "0": "0", "0.000": "0", "-3.50": "-3.5", "007": "7", "100": "100",
		"299.83536210316964": "299.83536210316964", "9999999999999999999": "9999999999999999999",
		"0.0000000000000000001": "0.0000000000000000001", "1.00000000000000000000000000000": "1",
	} {
		if d, err := ParseDecimal(text); err != nil || d.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, d, err, want)
		}
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", "1e5", "1,1684", "NaN", "Infinity", " 1", "1 ", "1_000", "0x1", "--1", "1.2.3", "١",
		"99999999999999999999", "0.00000000000000000001", "1.0000000000000000001",
	} {
		if d, err := ParseDecimal(text); err == nil {
			t.Errorf("%q was read as %s", text, d)
		}
	}
}

// FuzzParseDecimal compares with exact arithmetic: what is read is equal, and what is
// refused is no plain number or too long for a Decimal.
func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"1.1684", "-0.10", "N/A", "1e5", "9999999999999999999", "0.00000000000000000001"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		got, _ := new(big.Rat).SetString(d.String())
		if !ok || got.Cmp(want) != 0 {
			t.Errorf("%q was read as %s", text, d)
		}
		if again, err := ParseDecimal(d.String()); err != nil || again != d {
			t.Errorf("%s is read as %s, %v", d, again, err)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("2026-04-13")
	f.Add("0000-01-01")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDate(text); err == nil && d.String() != text {
			t.Errorf("%q was read as %s", text, d)
		}
	})
}

func TestDate(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]string{
		time.Date(2026, 4, 13, 23, 30, 0, 0, time.UTC): "2026-04-13",
		time.Date(2026, 4, 13, 0, 30, 0, 0, berlin):    "2026-04-13",
		time.Date(1969, 12, 31, 12, 0, 0, 0, time.UTC): "1969-12-31",
	} {
		if got := DateOf(at).String(); got != want {
			t.Errorf("%s is on %s, want %s", at, got, want)
		}
	}
	for day, want := range map[string]string{"2026-01-05": "15:00", "2026-07-06": "14:00", "2026-03-30": "14:00"} {
		if got := date(day).At(16*time.Hour, berlin).UTC().Format("15:04"); got != want {
			t.Errorf("16:00 in Berlin on %s is %s UTC, want %s", day, got, want)
		}
	}
}

func TestTARGET(t *testing.T) {
	closed := "1999-01-01 1999-12-31 2000-04-21 2000-04-24 2000-05-01 2000-12-25 2000-12-26 2001-12-31 " +
		"2024-03-29 2024-04-01 2025-04-18 2025-04-21 2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-12-25 2026-04-11 2026-04-12"
	for day := range strings.FieldsSeq(closed) {
		if TARGET.Open(date(day)) {
			t.Errorf("%s is open", day)
		}
	}
	for day := range strings.FieldsSeq("1999-01-04 1999-04-02 1999-04-05 2002-12-31 2026-04-13 2026-04-02 2026-04-07 2026-12-31") {
		if !TARGET.Open(date(day)) {
			t.Errorf("%s is closed", day)
		}
	}
	if got := TARGET.Before(date("2026-04-07")); got != date("2026-04-02") {
		t.Errorf("before Easter Tuesday comes %s", got)
	}
	if got := TARGET.After(date("2026-04-02")); got != date("2026-04-07") {
		t.Errorf("after Maundy Thursday comes %s", got)
	}
	if got := EveryDay.Days(date("2026-04-11"), date("2026-04-13")); len(got) != 3 {
		t.Errorf("every day: %v", got)
	}
}

func TestExpected(t *testing.T) {
	s := Source{Calendar: TARGET, PublishAt: 16 * time.Hour, Zone: "Europe/Berlin"}
	for now, want := range map[string]string{
		"2026-04-13T13:59:59Z": "2026-04-10", // summer: 16:00 is 14:00 UTC
		"2026-04-13T14:00:00Z": "2026-04-13",
		"2026-01-05T14:59:59Z": "2026-01-02",
		"2026-01-05T15:00:00Z": "2026-01-05",
		"2026-04-06T20:00:00Z": "2026-04-02", // Easter Monday
		"2026-04-12T22:30:00Z": "2026-04-10", // Monday in Berlin, before publication
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Expected(at).String(); got != want {
			t.Errorf("at %s %s is expected, want %s", now, got, want)
		}
	}
	if loc := (Source{Zone: "Nowhere/Land"}).Location(); loc != time.UTC {
		t.Errorf("an unknown zone is %s", loc)
	}
}

func TestCheck(t *testing.T) {
	now := date("2026-04-13").Time().Add(16 * time.Hour)
	bar := func(change func(*Bar)) Bar {
		b := Fixing(date("2026-04-13"), decimal.MustParse("2"))
		change(&b)
		return b
	}
	for want, b := range map[error]Bar{
		nil:            bar(func(*Bar) {}),
		ErrFuture:      bar(func(b *Bar) { b.Start = now.Add(FutureTolerance + time.Second) }),
		ErrNotPositive: bar(func(b *Bar) { b.Low = decimal.MustParse("0") }),
		ErrHighLow:     bar(func(b *Bar) { b.High = decimal.MustParse("1.9") }),
		ErrVolume:      bar(func(b *Bar) { b.Volume = decimal.NullDecimal{Decimal: decimal.MustParse("-1"), Valid: true} }),
	} {
		if got := b.Check(now); got != want { //nolint:errorlint // the very error
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	c := Coverage{
		Days: map[string][]Date{"A": {date("2026-04-01"), date("2026-04-02"), date("2026-04-08")}, "B": {date("2026-04-09")}},
		Holes: map[SeriesKey][]time.Time{
			{"A", Day}: {date("2026-04-02").Time(), date("2027-01-04").Time()}, {"C", Day}: {date("2026-04-02").Time()}, {"A", Hour}: {date("2026-04-03").Time()},
		},
	}
	for symbol, want := range map[string]string{"A": "[2026-04-02 2026-04-07 2026-04-09]", "B": "[]", "C": "[]", "": "[]"} {
		if got := fmt.Sprint(c.Missing(symbol, TARGET, date("2026-04-09"))); got != want {
			t.Errorf("of %s %s is missing, want %s", symbol, got, want)
		}
	}
}

func TestSymbolPattern(t *testing.T) {
	for _, s := range []string{"EURUSD", "BTC-USD", "BRK.B", "SIM-EURUSD", "A"} {
		if !SymbolPattern.MatchString(s) {
			t.Errorf("%q is no symbol", s)
		}
	}
	for _, s := range []string{"", "eurusd", "-A", "A B", "../X", "A\x00", strings.Repeat("A", 21), "É"} {
		if SymbolPattern.MatchString(s) {
			t.Errorf("%q is a symbol", s)
		}
	}
}
