package web

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		n      json.Number
		places int
		want   string
	}{
		{"1.17", 4, "1.1700"},
		{"19987.5", 2, "19,987.50"},
		{"1234567", 0, "1,234,567"},
		{"123", 0, "123"},
		{"-1234.5", 1, "−1,234.5"},
		{"-123456", 0, "−123,456"},
		{"0.123456789012345678", 2, "0.123456789012345678"}, // nothing is lost
		{"", 2, "–"},
		{"1e-9", 2, "1e-9"},
	} {
		if got := number(c.n, c.places); got != c.want {
			t.Errorf("number(%q, %d) = %q, want %q", c.n, c.places, got, c.want)
		}
	}
}

func TestPercentAndDirection(t *testing.T) {
	for n, want := range map[json.Number]string{
		"0.126": "up +0.13\u00a0%", "-14.0039": "down −14.00\u00a0%", "0": "flat 0.00\u00a0%", "": "flat –",
	} {
		if got := direction(n) + " " + percent(n); got != want {
			t.Errorf("%q: %q, want %q", n, got, want)
		}
	}
	if got := percent("-0.001"); got != "0.00\u00a0%" {
		t.Errorf("a change too small to show has a sign: %q", got)
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[json.Number]json.Number{
		"15936.32317": "15936.32", "116.84": "116.84", "1.17": "1.17", "9.8765432": "9.8765",
		"0.00006": "0.00006", "0.000062714999": "0.00006271", "100": "100.00",
	} {
		if got := amount(n); got != want {
			t.Errorf("amount(%s) = %s, want %s", n, got, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1547: "1.5 KiB", 5 << 20: "5.0 MiB"} {
		if got := byteSize(n); got != want {
			t.Errorf("byteSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestCurve(t *testing.T) {
	c := newCurve([]json.Number{"1", "3", "2"}, 100, 20)
	if c.Line != "M0.0 18.0L50.0 2.0L100.0 10.0" {
		t.Errorf("line %q", c.Line)
	}
	if flat := newCurve([]json.Number{"1.5", "1.5"}, 100, 20); flat.Line != "M0.0 10.0L100.0 10.0" {
		t.Errorf("flat line %q", flat.Line)
	}
	if one := newCurve([]json.Number{"1"}, 100, 20); one.Line != "" {
		t.Errorf("one point draws %q", one.Line)
	}
}

func TestThinKeepsTheExtremes(t *testing.T) {
	closes := make([]json.Number, 7000)
	for i := range closes {
		closes[i] = "5"
	}
	closes[1234], closes[5678] = "9", "1"
	line := newCurve(closes, 800, 320).Line
	if n := strings.Count(line, "L") + 1; n > maxPoints {
		t.Errorf("%d points", n)
	}
	if !strings.Contains(line, " 2.0L") || !strings.Contains(line, " 318.0L") {
		t.Error("the highest or the lowest is gone")
	}
}
