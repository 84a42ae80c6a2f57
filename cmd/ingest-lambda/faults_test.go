package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/lambdatest"
	"bourse/internal/market"
)

// fault is something that AWS does in place of what it is asked for.
type fault struct {
	of     string // the service: s3, secretsmanager
	match  string // part of the path that it meets; "" for any
	answer answerer
}

// answerer answers a request, or lets AWS do it.
type answerer func(w http.ResponseWriter, r *http.Request, aws http.Handler)

func (f *fault) meets(r *http.Request) bool {
	return service(r) == f.of && strings.Contains(r.URL.Path, f.match)
}

// s3Says answers as S3 does where it refuses.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func s3Says(status int, code string, header ...string) answerer {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("X-Amz-Request-Id", "TX276G0JH2PB2M0W")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+
			`<Error><Code>%s</Code><Message>as the test wants</Message><RequestId>TX276G0JH2PB2M0W</RequestId></Error>`, code)
	}
}

// secretsSay answers as Secrets Manager does.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
func secretsSay(status int, code string) answerer {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"message":"as the test wants"}`, code)
	}
}

// silent answers nothing until the client has given up.
func silent(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the client has gone
	<-r.Context().Done()
}

// slow answers half a second late.
func slow(w http.ResponseWriter, r *http.Request, aws http.Handler) {
	select {
	case <-time.After(500 * time.Millisecond):
		aws.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
}

// reset breaks the connection off.
func reset(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// lost does what it is asked for and breaks off before it says so, the first time for each path.
func lost() answerer {
	var seen sync.Map
	return func(w http.ResponseWriter, r *http.Request, aws http.Handler) {
		if _, again := seen.LoadOrStore(r.URL.Path, true); again {
			aws.ServeHTTP(w, r)
			return
		}
		aws.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

// skewed is a service whose clock is 20 minutes ahead of the caller's. It refuses what is
// signed by another time than its own, and says what that is.
func skewed(refuse answerer) answerer {
	return func(w http.ResponseWriter, r *http.Request, aws http.Handler) {
		now := time.Now().Add(20 * time.Minute).UTC()
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err == nil && signed.After(now.Add(-15*time.Minute)) {
			aws.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Date", now.Format(http.TimeFormat))
		refuse(w, r, aws)
	}
}

// awsFault is a fault of AWS and what a run that meets it comes to.
type awsFault struct {
	name    string
	answer  answerer
	outcome market.Outcome
	timeout time.Duration // of the invocation; zero: a minute
}

// The faults of S3. What may pass is for the next run; what nobody but a person can mend
// says so.
var s3Faults = []awsFault{
	{name: "throttling (SlowDown)", answer: s3Says(503, "SlowDown"), outcome: market.RetryAfter},
	{name: "failing (InternalError)", answer: s3Says(500, "InternalError"), outcome: market.RetryAfter},
	{name: "connections break off", answer: reset, outcome: market.RetryAfter},
	{name: "done, and the answer lost", answer: lost(), outcome: market.OK},
	{name: "answers half a second late", answer: slow, outcome: market.OK},
	{name: "no answer before the deadline", answer: silent, outcome: market.Interrupted, timeout: 3 * time.Second},
	{name: "access denied (AccessDenied)", answer: s3Says(403, "AccessDenied"), outcome: market.NeedsPerson},
	{name: "no such bucket (NoSuchBucket)", answer: s3Says(404, "NoSuchBucket"), outcome: market.NeedsPerson},
	{
		name: "bucket in another region (PermanentRedirect)", outcome: market.NeedsPerson,
		answer: s3Says(301, "PermanentRedirect", "X-Amz-Bucket-Region", "eu-west-1"),
	},
	{name: "credentials expired (ExpiredToken)", answer: s3Says(400, "ExpiredToken"), outcome: market.RetryAfter},
	{name: "clock 20 minutes off (RequestTimeTooSkewed)", answer: skewed(s3Says(403, "RequestTimeTooSkewed")), outcome: market.OK},
	{name: "clock off whatever is sent (RequestTimeTooSkewed)", answer: s3Says(403, "RequestTimeTooSkewed"), outcome: market.RetryAfter},
}

// The faults of Secrets Manager.
var secretFaults = []awsFault{
	{name: "throttling (ThrottlingException)", answer: secretsSay(400, "ThrottlingException"), outcome: market.RetryAfter},
	{name: "failing (InternalServiceError)", answer: secretsSay(500, "InternalServiceError"), outcome: market.RetryAfter},
	{name: "connections break off", answer: reset, outcome: market.RetryAfter},
	{name: "answers half a second late", answer: slow, outcome: market.OK},
	{name: "no answer before the deadline", answer: silent, outcome: market.Interrupted, timeout: 3 * time.Second},
	{name: "access denied (AccessDeniedException)", answer: secretsSay(400, "AccessDeniedException"), outcome: market.NeedsPerson},
	{name: "no such secret (ResourceNotFoundException)", answer: secretsSay(400, "ResourceNotFoundException"), outcome: market.NeedsPerson},
	{name: "cannot be decrypted (DecryptionFailure)", answer: secretsSay(400, "DecryptionFailure"), outcome: market.NeedsPerson},
	{name: "credentials expired (ExpiredTokenException)", answer: secretsSay(400, "ExpiredTokenException"), outcome: market.RetryAfter},
	{name: "clock 20 minutes off (InvalidSignatureException)", answer: skewed(secretsSay(400, "InvalidSignatureException")), outcome: market.OK},
}

// outcomeOf is what an invocation came to, whether it succeeded or not.
func outcomeOf(t *testing.T, r lambdatest.Result) market.Outcome {
	t.Helper()
	if r.Failed {
		return market.Outcome(r.ErrorType)
	}
	return run(t, r).Outcome
}

// TestFaultsOfS3 lets runs meet each fault, at the bytes and at the receipt. Whatever it is,
// no receipt is without its bytes, no value without its receipt, and one more run brings
// everything.
func TestFaultsOfS3(t *testing.T) {
	t.Parallel()
	for _, c := range s3Faults {
		for _, at := range []string{"/objects/", "/receipts/"} {
			t.Run(c.name+at, func(t *testing.T) {
				t.Parallel()
				a := newAccount(t)
				b := a.bed(nil)
				f := b.function()
				f.Begin()
				a.breaks(&fault{of: "s3", match: at, answer: c.answer})
				r := f.Invoke(lambdatest.Event{Body: scheduled("ecb"), Timeout: c.timeout})
				a.breaks(nil)
				b.ended(r, c.outcome)
				if c.outcome != market.OK {
					if got := b.contents(); got != "" {
						t.Errorf("values without a receipt: %s", got)
					}
				}
				b.check()
				expect(t, "then", run(t, f.Invoke(lambdatest.Event{Body: scheduled("ecb")})).Outcome, market.OK)
				b.whole()
			})
		}
	}
}

// ended holds the answer, the record and the metrics of a run to an outcome.
func (b *bed) ended(r lambdatest.Result, want market.Outcome) {
	b.t.Helper()
	expect(b.t, "outcome", outcomeOf(b.t, r), want)
	if r.Ended {
		b.t.Errorf("the process has ended:\n%s", strings.Join(r.Lines, "\n"))
	}
	expect(b.t, "record", b.runs()[0].Outcome, want)
	for _, m := range read(b.t, r).metrics {
		if _, has := m.Values["rows"]; has != (want == market.OK) {
			b.t.Errorf("metrics of a run that is %s: %s", want, m.names())
		}
	}
}

// TestFaultsOfSecrets lets runs meet each fault when the key of a source is read.
func TestFaultsOfSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range secretFaults {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			e := newEquities(t, goodKey)
			a.put(goodKey)
			b := a.bed(map[string]string{
				"BOURSE_ALPHAVANTAGE_URL": e.url, "BOURSE_ALPHAVANTAGE_SYMBOLS": "IBM", "BOURSE_ALPHAVANTAGE_KEY": "awssecretsmanager://" + a.secret,
				"BOURSE_ALPHAVANTAGE_REQUESTS": "0",
			})
			f := b.function()
			f.Begin()
			a.breaks(&fault{of: "secretsmanager", answer: c.answer})
			r := f.Invoke(lambdatest.Event{Body: scheduled("alphavantage"), Timeout: c.timeout})
			a.breaks(nil)
			b.ended(r, c.outcome)
			if c.outcome != market.OK {
				expect(t, "requests without a key", e.count(), 0)
			}
			again := f.Invoke(lambdatest.Event{Body: scheduled("alphavantage")})
			expect(t, "then", run(t, again).Outcome, market.OK)
			if got := b.contents(); !strings.Contains(got, "IBM") {
				t.Errorf("the store has %q", got)
			}
			b.lookFor(goodKey, append(append(r.Lines, again.Lines...), string(r.Body), string(again.Body))...)
		})
	}
}
