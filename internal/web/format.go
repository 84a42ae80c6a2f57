package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bourse/internal/market"
)

// formats is how templates write values. Numbers are grouped by comma and have a
// real minus sign; what is missing is a dash.
var formats = template.FuncMap{
	"number":       number,
	"signed":       signed,
	"percent":      percent,
	"rounded":      rounded,
	"plainPercent": func(n json.Number) string { return number(rounded(n, 2), 2) + "\u00a0%" },
	"direction":    direction,
	"arrow":        arrow,
	"longDate":     longDate,
	"shortTime":    shortTime,
	"year":         func(text string) string { return shortTime(text)[:min(5, len(text))] },
	"yearless":     func(text string) string { return shortTime(text)[min(5, len(text)):] },
	"day":          func(text string) bool { return len(text) == len(time.DateOnly) },
	"utcDay":       func(text string) string { return utc(time.DateOnly, text) },
	"utcClock":     func(text string) string { return utc("15:04 UTC", text) },
	"took":         took,
	"bytes":        byteSize,
	"count":        func(n int) string { return group(strconv.Itoa(n)) },
	"plural":       plural,
	"segment":      url.PathEscape,
	"short":        func(sha256 string) string { return sha256[:min(12, len(sha256))] },
	"outcome":      outcome,
}

const (
	minus   = "\u2212"
	missing = "–"
)

// scale is the number of decimals that shows all of ns exactly.
func scale(ns ...json.Number) int {
	most := 0
	for _, n := range ns {
		if _, frac, ok := strings.Cut(string(n), "."); ok && !strings.ContainsAny(frac, "eE") {
			most = max(most, len(frac))
		}
	}
	return most
}

// number writes n with at least places decimals, from its text: nothing is rounded.
func number(n json.Number, places int) string {
	text := string(n)
	switch {
	case text == "":
		return missing
	case strings.ContainsAny(text, "eE"):
		return text
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	out := group(whole)
	if places = max(places, len(frac)); places > 0 {
		out += "." + frac + strings.Repeat("0", places-len(frac))
	}
	if negative {
		out = minus + out
	}
	return out
}

// signed is [number] with a plus sign on what is above zero.
func signed(n json.Number, places int) string {
	if direction(n) == "up" {
		return "+" + number(n, places)
	}
	return number(n, places)
}

// percent writes a statistic, which may be a float, with two decimals.
func percent(n json.Number) string {
	f, err := n.Float64()
	if err != nil {
		return missing
	}
	rounded := json.Number(strconv.FormatFloat(f, 'f', 2, 64))
	if direction(rounded) == "flat" {
		rounded = "0.00"
	}
	return signed(rounded, 2) + "\u00a0%"
}

// float is n for drawings and comparisons; what is no number is zero.
func float(n json.Number) float64 {
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return f
}

// rounded writes a statistic with the given number of decimals.
func rounded(n json.Number, places int) json.Number {
	f, err := n.Float64()
	if err != nil {
		return ""
	}
	return json.Number(strconv.FormatFloat(f, 'f', places, 64))
}

// amount is n as sums of money are written: two decimals when it is large, more when
// it is small.
func amount(n json.Number) json.Number {
	d, err := market.ParseDecimal(string(n))
	if err != nil {
		return n
	}
	places := 8
	if f, _ := d.Abs().Float64(); f >= 1000 {
		places = 2
	} else if f >= 1 {
		places = 4
	}
	return json.Number(d.Round(places).Trim(2).Pad(2).String())
}

// rate is n as exchange rates are written: six decimals, more when it is small.
func rate(n json.Number) json.Number {
	d, err := market.ParseDecimal(string(n))
	if err != nil {
		return n
	}
	places := 6
	if f, _ := d.Abs().Float64(); f < 0.01 {
		places = 10
	}
	return json.Number(d.Round(places).Trim(0).String())
}

// direction says which way a change went, as a class name.
func direction(n json.Number) string {
	switch {
	case !strings.ContainsAny(string(n), "123456789"):
		return "flat"
	case strings.HasPrefix(string(n), "-"):
		return "down"
	}
	return "up"
}

// arrow says the same as a sign, for those who do not see colours.
func arrow(n json.Number) string {
	return map[string]string{"up": "▲", "down": "▼", "flat": ""}[direction(n)]
}

// changePercent is by how many percent a price differs from the one before it.
func changePercent(before, after json.Number) json.Number {
	a, errA := before.Float64()
	b, errB := after.Float64()
	if errA != nil || errB != nil || a == 0 {
		return ""
	}
	return json.Number(strconv.FormatFloat((b/a-1)*100, 'f', 6, 64))
}

// group sets commas between the thousands of a whole number.
func group(whole string) string {
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole
}

// longDate writes the start of a bar for headlines: "13 April 2026", and of one within
// a day "13 April 2026, 14:00 UTC".
func longDate(text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return utc("2 January 2006, 15:04 UTC", text)
	}
	return t.Format("2 January 2006")
}

// shortTime writes the start of a bar for columns: "2026-04-13", "2026-04-13 14:00".
func shortTime(text string) string { return utc("2006-01-02 15:04", text) }

// utc writes the given part of a time in UTC.
func utc(layout, text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.UTC().Format(layout)
}

// took is how long a run lasted.
func took(started, finished string) string {
	a, errA := time.Parse(time.RFC3339, started)
	b, errB := time.Parse(time.RFC3339, finished)
	if errA != nil || errB != nil {
		return missing
	}
	if d := b.Sub(a); d >= 10*time.Second {
		return d.Round(time.Second).String()
	}
	return b.Sub(a).Round(time.Millisecond).String()
}

func byteSize(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	exp := min(3, int(math.Log(float64(n))/math.Log(1024)))
	return fmt.Sprintf("%.1f %ciB", float64(n)/math.Pow(1024, float64(exp)), "_KMG"[exp])
}

// plural writes a count with its noun: "1 value", "2 values".
func plural(n int, noun string) string {
	if n != 1 && !strings.HasSuffix(noun, "s") { // "series" is its own plural
		noun += "s"
	}
	return group(strconv.Itoa(n)) + " " + noun
}

// outcome says what a run came to, in words.
func outcome(name string) string {
	words := map[market.Outcome]string{
		"":                 "running",
		market.OK:          "ok",
		market.RetryAfter:  "will be tried again",
		market.QuotaUntil:  "waits for its quota",
		market.Permanent:   "refused for good",
		market.NeedsPerson: "needs a person",
		market.Interrupted: "interrupted",
	}
	if text, ok := words[market.Outcome(name)]; ok {
		return text
	}
	return name
}
