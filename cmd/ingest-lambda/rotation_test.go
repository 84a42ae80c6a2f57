package main_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bourse/internal/lambdatest"
	"bourse/internal/market"
	"bourse/internal/replaytest"
	"bourse/internal/source/alphavantage/alphavantagetest"
)

// Keys of Alpha Vantage. Nothing may keep one.
const (
	oldKey  = "OLD0KEY0THAT0WAS"
	goodKey = "W0RLD5TOPSECRETK"
)

// equities is Alpha Vantage. It takes one key.
type equities struct {
	*alphavantagetest.Upstream
	url string
}

func newEquities(t *testing.T, key string) *equities {
	t.Helper()
	e := &equities{Upstream: &alphavantagetest.Upstream{Now: time.Now, Key: key}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

// count is how many requests came since it was called last.
func (e *equities) count() int { return len(e.Asked()) }

// TestKeyRotates puts another key in Secrets Manager while the function lives. The source
// refuses the old one from then on; the run that finds that out reads the key again and
// succeeds. Neither is kept or told anywhere.
func TestKeyRotates(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.put(oldKey)
	e := newEquities(t, oldKey)
	b := a.bed(map[string]string{
		"BOURSE_ALPHAVANTAGE_URL": e.url, "BOURSE_ALPHAVANTAGE_SYMBOLS": "IBM", "BOURSE_ALPHAVANTAGE_REQUESTS": "0",
		"BOURSE_ALPHAVANTAGE_KEY": "awssecretsmanager://" + a.secret, "BOURSE_LOG_LEVEL": "DEBUG",
	})
	f := b.function()
	var told []string
	invoke := func(event string) lambdatest.Result {
		r := f.Invoke(lambdatest.Event{Body: event})
		told = append(append(told, r.Lines...), string(r.Body))
		return r
	}
	expect(t, "first", run(t, invoke(scheduled("alphavantage"))).Outcome, market.OK)
	expect(t, "times that the key was read", a.readings(), 1)
	again := `{"source":"alphavantage","window":"2026-03-02/2026-03-03","reason":"manual"}`
	expect(t, "again", run(t, invoke(again)).Outcome, market.OK)
	expect(t, "times that it was read again", a.readings(), 0)

	e.Key = goodKey
	refused := invoke(again)
	expect(t, "while only the source has the new key", refused.ErrorType, string(market.NeedsPerson))
	a.put(goodKey)
	a.readings()
	e.count()
	expect(t, "once both have it", run(t, invoke(again)).Outcome, market.OK)
	expect(t, "times that it was read then", a.readings(), 1)
	expect(t, "requests: one refused, three answered", e.count(), 4)
	b.lookFor(oldKey, told...)
	b.lookFor(goodKey, told...)
}

// readings is how often the secret was read since it was asked last.
func (a *account) readings() (n int) {
	for _, r := range a.took() {
		if r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue" {
			n++
		}
	}
	return n
}

// TestKeyRotatesReplayed does it with recorded prices: the server refuses the key demo.
func TestKeyRotatesReplayed(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	upstream := replaytest.Start(t, "-now", "2021-03-31T22:30:00Z")
	a.put("demo")
	b := a.bed(map[string]string{
		"BOURSE_ALPHAVANTAGE_URL": upstream.URL, "BOURSE_ALPHAVANTAGE_SYMBOLS": "IBM",
		"BOURSE_ALPHAVANTAGE_KEY": "awssecretsmanager://" + a.secret,
	})
	f := b.function()
	r := f.Invoke(lambdatest.Event{Body: scheduled("alphavantage")})
	expect(t, "with the key that is refused", r.ErrorType, string(market.NeedsPerson))
	refused := upstream.Outcomes("alphavantage")
	a.put(goodKey)
	again := f.Invoke(lambdatest.Event{Body: `{"source":"alphavantage","window":"2021-03-01/2021-03-31","reason":"manual"}`})
	expect(t, "after the rotation", run(t, again).Outcome, market.OK)
	t.Logf("the source's answers before: %v, then: %v", refused, upstream.Outcomes("alphavantage"))
	if rows := strings.Count(b.contents(), "IBM"); rows != 100 {
		t.Errorf("%d bars of IBM", rows)
	}
	for _, m := range read(t, again).metrics {
		expect(t, "metrics", m.names(), "duration lag quarantined quota_left revisions rows")
		expect(t, "quota left", m.Values["quota_left"], 25.0-5) // two refused, three answered
	}
	b.lookFor(goodKey, append(append(r.Lines, again.Lines...), string(r.Body), string(again.Body))...)
}
