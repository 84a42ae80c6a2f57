package api

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bourse/internal/market"
)

// params reads the parameters of a request and keeps the first thing that is wrong.
type params struct {
	values url.Values
	err    error
}

// read returns the parameters of a request, of which those named and format are
// known. One that is misspelt would else be ignored and the answer be another one.
func read(r *http.Request, known ...string) *params {
	p := &params{}
	var err error
	if p.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		p.fail("", "the query is not well-formed")
		return p
	}
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		values := p.values[name]
		switch {
		case !isText(name):
			p.fail("", "the name of a parameter is not text")
		case name != "format" && !slices.Contains(known, name):
			p.fail(name, "there is no parameter %q here; there are %s", clip(name), strings.Join(append(known, "format"), ", "))
		case len(values) > 1:
			p.fail(name, "it is given %d times", len(values))
		case !isText(values[0]):
			p.fail(name, "it is not text")
		}
	}
	return p
}

// isText reports whether every store can take s. PostgreSQL refuses the rest, which
// would look as if it were down.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func (p *params) fail(name, format string, args ...any) {
	if p.err == nil {
		p.err = badParameter.of(clip(name), format, args...)
	}
}

func (p *params) text(name string) string { return p.values.Get(name) }

// oneOf reads a word; the first is the default.
func (p *params) oneOf(name string, words ...string) string {
	text := p.values.Get(name)
	if text == "" {
		return words[0]
	}
	if !slices.Contains(words, text) {
		p.fail(name, "%q is none of %s", clip(text), strings.Join(words, ", "))
	}
	return text
}

// number reads a whole number between least and most.
func (p *params) number(name string, standard, least, most int) int {
	text := p.values.Get(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || text[0] == '+' || n < least || n > most {
		p.fail(name, "%q is not a whole number from %d to %d", clip(text), least, most)
		return standard
	}
	return n
}

// date reads a date; zero where there is none.
func (p *params) date(name string) time.Time {
	text := p.values.Get(name)
	if text == "" {
		return time.Time{}
	}
	d, err := market.ParseDate(text)
	if err != nil || !d.Time().After(time.Time{}) { // the zero time stands for none
		p.fail(name, "%q is not a date like 2006-01-02", clip(text))
		return time.Time{}
	}
	return d.Time()
}

// instant reads an RFC 3339 instant; zero where there is none.
func (p *params) instant(name string) time.Time {
	text := p.values.Get(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !t.After(time.Time{}) {
		p.fail(name, "%q is not an instant like 2006-01-02T15:04:05Z", clip(text))
		return time.Time{}
	}
	return t.UTC()
}

// start reads the start of a bar: a date, or for bars within a day also an instant.
func (p *params) start(name string, interval market.Interval) time.Time {
	if text := p.values.Get(name); interval != market.Day && strings.Contains(text, "T") {
		return p.instant(name)
	}
	return p.date(name)
}

// span reads from and to.
func (p *params) span(interval market.Interval) (from, to time.Time) {
	from, to = p.start("from", interval), p.start("to", interval)
	if !from.IsZero() && !to.IsZero() && from.After(to) {
		p.fail("from", "it is after to")
	}
	return from, to
}

func (p *params) interval() market.Interval {
	return market.Interval(p.oneOf("interval", string(market.Day), string(market.Hour), string(market.Minute)))
}

// cursor reads where the page before ended. A cursor holds a position and a mark of
// the query it belongs to: every parameter but cursor, limit and format, and the path.
func (p *params) cursor(r *http.Request) string {
	text := p.values.Get("cursor")
	if text == "" {
		return ""
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	mark, position, ok := strings.Cut(string(plain), "|")
	if err != nil || !ok || mark != p.mark(r) {
		p.failCursor()
		return ""
	}
	return position
}

func (p *params) cursorNumber(r *http.Request) int64 {
	text := p.cursor(r)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.failCursor()
	}
	return n
}

func (p *params) failCursor() {
	if p.err == nil {
		p.err = malformedCursor.of("cursor", "Take it from next of the page before, with the same parameters.")
	}
}

// nextCursor returns the cursor of the page after a position.
func (p *params) nextCursor(r *http.Request, position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.mark(r) + "|" + position))
}

func (p *params) mark(r *http.Request) string {
	same := url.Values{}
	for name, values := range p.values {
		if name != "cursor" && name != "limit" && name != "format" {
			same[name] = values
		}
	}
	sum := sha256.Sum256([]byte(r.URL.Path + "?" + same.Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// clip shortens what a client sent for a message.
func clip(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// symbol reads the symbol in the path.
func symbol(r *http.Request) (string, error) {
	text := r.PathValue("symbol")
	if !market.SymbolPattern.MatchString(text) {
		return "", unknownSymbol.of("symbol", "%q is not a symbol.", clip(text))
	}
	return text, nil
}
