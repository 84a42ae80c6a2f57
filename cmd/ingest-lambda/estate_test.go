package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/lambdatest"
	"bourse/internal/market"
	"bourse/internal/replaytest"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// eventFile is the event of a schedule as Terraform writes it. tools/terraform applies the
// module and compares it with what comes out; here it is compared with the sources.
const eventFile = "testdata/event.json"

// TestEvent: the input of the schedules is the event that the tests invoke the function with.
func TestEvent(t *testing.T) {
	text, err := os.ReadFile(eventFile)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the event of the tests", scheduled("ecb"), strings.TrimSpace(string(text)))
	source, err := os.ReadFile("../../deploy/terraform/modules/ingest/schedules.tf")
	if err != nil {
		t.Fatal(err)
	}
	input := regexp.MustCompile(`input = jsonencode\(\{(.*)\}\)`).FindSubmatch(source)
	if input == nil {
		t.Fatal("schedules.tf has no input")
	}
	// Terraform writes the members in the order of their names, as Go does.
	event := map[string]string{}
	for _, member := range strings.Split(string(input[1]), ",") {
		name, value, _ := strings.Cut(member, "=")
		value = strings.TrimSpace(value)
		if value == "each.key" {
			value = `"ecb"`
		}
		event[strings.TrimSpace(name)] = strings.Trim(value, `"`)
	}
	rendered, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the event of schedules.tf", string(rendered), scheduled("ecb"))
}

// TestOnAWS goes the whole way, on the double of AWS: the event of a schedule, the function,
// the archive in S3, PostgreSQL, the API, and from a value back to the bytes in the bucket.
func TestOnAWS(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	settings := map[string]string{}
	if replaytest.There() {
		// The second year of the euro: some ten thousand values.
		settings["BOURSE_ECB_URL"] = replaytest.Start(t, "-now", "2000-06-15T15:30:00Z").ECB()
	}
	b := a.bed(settings)
	f := b.function()
	f.Begin()
	expect(t, "requests to AWS before there is an event", len(a.took()), 0)
	r := f.Invoke(lambdatest.Event{Body: scheduled("ecb"), Trace: traceHeader})
	answer := run(t, r)
	expect(t, "outcome", answer.Outcome, market.OK)
	expect(t, "complete", answer.Complete, true)
	a.writtenOnce()

	said := read(t, r)
	if len(said.metrics) != 1 {
		t.Fatalf("%d lines of metrics", len(said.metrics))
	}
	m := said.metrics[0]
	expect(t, "metrics", m.names(), "duration lag quarantined revisions rows")
	expect(t, "source of the metrics", m.Members["source"], "ecb")
	expect(t, "rows", m.Values["rows"], float64(answer.Inserted))
	record := b.runs()[0]
	if took := record.Finished.Sub(record.Started).Seconds(); m.Values["duration"] < took-0.001 || m.Values["duration"] > r.Took.Seconds() {
		t.Errorf("the duration is %v: the record says %v, the invocation took %v", m.Values["duration"], took, r.Took.Seconds())
	}
	status, err := b.store.Sources(t.Context())
	if err != nil || len(status) != 1 {
		t.Fatal(status, err)
	}
	if late := status[0].Overdue(time.Now()).Seconds(); m.Values["lag"] > late || m.Values["lag"] < late-60 {
		t.Errorf("the lag is %v, the source is overdue for %v s", m.Values["lag"], late)
	}

	b.check()
	all, err := b.store.Instruments(t.Context(), market.InstrumentQuery{Limit: 1000})
	if err != nil || len(all) < 6 {
		t.Fatal(all, err)
	}
	rest := api.New(api.Config{Store: b.store, Archive: b.raw})
	rows := 0
	for _, i := range all {
		rows += a.traced(rest, i)
	}
	expect(t, "rows of the store", rows, answer.Inserted)
	objects, receipts := b.keys()
	t.Logf("%d rows of %d instruments, the oldest and the newest value of each traced to its object; %d objects, %d receipts; invocation %s",
		rows, len(all), len(objects), len(receipts), r.Took.Round(time.Millisecond))
}

// writtenOnce holds all that was sent to S3 to the rules of the archive: written only where
// nothing is, encrypted, nothing read back.
func (a *account) writtenOnce() {
	a.t.Helper()
	sent := a.took()
	if len(sent) == 0 {
		a.t.Error("nothing was sent to S3")
	}
	for _, r := range sent {
		switch {
		case r.Method != http.MethodPut:
			a.t.Errorf("%s %s: a run writes only, that is all its role may", r.Method, r.URL)
		case r.Header.Get("If-None-Match") != "*" || r.Header.Get("X-Amz-Server-Side-Encryption") != "AES256":
			a.t.Errorf("%s is written with %v", r.URL.Path, r.Header)
		case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=test/") || r.Header.Get("X-Amz-Security-Token") != "test":
			a.t.Errorf("%s is signed with %s", r.URL.Path, r.Header.Get("Authorization"))
		}
	}
}

// traced follows the newest and the oldest value of an instrument from the API's answer back
// to the bytes in the bucket. It returns how many values the API has.
func (a *account) traced(rest http.Handler, i market.Instrument) int {
	a.t.Helper()
	rows := 0
	var first, last string
	for cursor := ""; ; {
		var page struct {
			Bars []struct{ Start string }
			Next *string
		}
		get(a.t, rest, "/api/v1/bars/"+i.Symbol+"?from=1990-01-01&limit=10000"+cursor, &page)
		for _, bar := range page.Bars {
			if rows++; rows == 1 {
				first = bar.Start
			}
			last = bar.Start
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	for _, day := range []string{first, last} {
		var lineage struct {
			Versions []struct {
				Run     int64
				Payload struct{ SHA256, Href string }
			}
		}
		get(a.t, rest, "/api/v1/lineage/"+i.Symbol+"/"+day, &lineage)
		if len(lineage.Versions) != 1 || lineage.Versions[0].Run == 0 {
			a.t.Fatalf("%s %s: %+v", i.Symbol, day, lineage)
		}
		hash := lineage.Versions[0].Payload.SHA256
		key := fmt.Sprintf("ecb/objects/%.2s/%s", hash, hash)
		body := a.object(key)
		expect(a.t, "hash of "+key, market.SHA256(body), hash)
		w := httptest.NewRecorder()
		rest.ServeHTTP(w, httptest.NewRequest(http.MethodGet, lineage.Versions[0].Payload.Href, nil))
		if !bytes.Equal(w.Body.Bytes(), body) {
			a.t.Errorf("%s answers with other bytes than %s", lineage.Versions[0].Payload.Href, key)
		}
	}
	return rows
}

// object reads one from the bucket, past all code of bourse.
func (a *account) object(key string) []byte {
	a.t.Helper()
	out, err := a.s3.GetObject(a.t.Context(), &s3.GetObjectInput{Bucket: &a.bucket, Key: &key})
	if err != nil {
		a.t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	expect(a.t, "encryption of "+key, string(out.ServerSideEncryption), "AES256")
	return body
}

func get(t *testing.T, rest http.Handler, target string, to any) {
	t.Helper()
	w := httptest.NewRecorder()
	rest.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	if err := json.Unmarshal(w.Body.Bytes(), to); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %v %.300s", target, w.Code, err, w.Body)
	}
}
