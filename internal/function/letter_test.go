package function

import (
	"strings"
	"testing"
)

// TestLetters reads the messages that Scheduler and Lambda send, and says of others why
// they are none.
func TestLetters(t *testing.T) {
	const event = `{"source":"ecb","window":"","reason":"schedule"}`
	for _, c := range []struct{ body, from, failed, err string }{
		{event, "scheduler", "Rate Exceeded", ""},
		{`{"requestContext":{"condition":"RetriesExhausted","approximateInvokeCount":2},"requestPayload":` + event + `,
			"responseContext":{"functionError":"Unhandled"},"responsePayload":{"errorType":"permanent","errorMessage":"run 7 of ecb: gone"}}`,
			"lambda", "RetriesExhausted after 2 tries, Unhandled: permanent: run 7 of ecb: gone", ""},
		{`{"requestContext":{"condition":"RetriesExhausted","approximateInvokeCount":2},"requestPayload":` + event + `,
			"responseContext":{"functionError":"Unhandled"},"responsePayload":"killed"}`,
			"lambda", `RetriesExhausted after 2 tries, Unhandled: "killed"`, ""},
		{`{"requestContext":{"condition":"EventAgeExceeded","approximateInvokeCount":0},"requestPayload":` + event + `}`,
			"lambda", "EventAgeExceeded after 0 tries", ""},
		{``, "", "", "not JSON"},
		{`[]`, "", "", "not JSON"},
		{`null`, "", "", "names no source"},
		{event + event, "", "", "not JSON"},
		{`{"requestContext":{},"requestPayload":null}`, "", "", "names no source"},
		{`{"requestContext":{}}`, "", "", "has no event"},
		{`{"requestContext":{},"requestPayload":"` + `ecb"}`, "", "", "has no event"},
		{`{"source":"ecb","account":"1"}`, "", "", `unknown field "account"`},
		{`{"source":7}`, "", "", "has no event"},
	} {
		var l Letter
		l.read([]byte(c.body), func(name string) string { return map[string]string{"ERROR_MESSAGE": "Rate Exceeded"}[name] })
		if l.From != c.from || l.Failed != c.failed || (l.Err != nil) != (c.err != "") || c.err != "" && !strings.Contains(l.Err.Error(), c.err) {
			t.Errorf("%s: %+v", c.body, l)
		}
		if c.err == "" && (l.Event != Event{"ecb", "", "schedule"} || string(l.Raw) != event) {
			t.Errorf("%s: its event is %+v, %s", c.body, l.Event, l.Raw)
		}
	}
}

// FuzzLetter: whatever a message says, reading it ends, and what has an event names a source.
func FuzzLetter(f *testing.F) {
	f.Add(`{"source":"ecb","window":"","reason":"schedule"}`)
	f.Add(`{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":{"source":"ecb"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var l Letter
		l.read([]byte(body), func(string) string { return "" })
		if l.Err == nil && (l.Event.Source == "" || len(l.Raw) == 0) {
			t.Errorf("%+v", l)
		}
	})
}
