package alphavantage

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"bourse/internal/market"
)

// messages are the errors that come as JSON with status 200, by a phrase of their text.
// The first that matches counts: the text on requests a second names those a day too,
// and both speak of premium plans.
var messages = []struct {
	phrase  string
	failure market.Failure
}{
	{"spreading out your free API requests", market.Failure{Outcome: market.RetryAfter, Reason: "too many requests in a second", After: 2 * time.Second}},
	{"calls per minute", market.Failure{Outcome: market.RetryAfter, Reason: "too many requests in a minute", After: time.Minute}},
	{"requests per day", market.Failure{Outcome: market.QuotaUntil, Reason: "the source says that the quota of the day is used up"}},
	{"premium feature", market.Failure{Outcome: market.Permanent, Reason: "it needs a premium plan", Alone: true}},
	{"premium endpoint", market.Failure{Outcome: market.Permanent, Reason: "it needs a premium plan", Alone: true}},
	{"apikey is invalid or missing", market.Failure{Outcome: market.NeedsPerson, Reason: "the key is refused", Refused: true}},
	{"**demo** API key", market.Failure{Outcome: market.NeedsPerson, Reason: "the demo key is for demonstrations only", Refused: true}},
	{"Invalid API call", market.Failure{Outcome: market.Permanent, Reason: "the source does not know the symbol", Alone: true}},
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// object is a JSON object whose values are read later.
type object map[string]json.RawMessage

// open reads the outer object of an answer, or returns the failure that it tells of.
func open(body []byte) (object, error) {
	var top object
	if err := json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &top); err != nil || top == nil {
		return nil, market.Malformed("not a JSON object")
	}
	for _, name := range []string{"Error Message", "Information", "Note"} {
		if raw, ok := top[name]; ok {
			return nil, told(raw)
		}
	}
	return top, nil
}

func told(raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return market.Drift("a message that is no text")
	}
	for _, m := range messages {
		if strings.Contains(text, m.phrase) {
			failure := m.failure
			return &failure
		}
	}
	return &market.Failure{Outcome: market.NeedsPerson, Reason: "the source says: " + clip(text)}
}

// clip shortens text of unknown length for a message.
func clip(text string) string {
	const most = 100
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
