package function

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Event is what a run is started with.
type Event struct {
	Source string `json:"source"`
	Window string `json:"window"` // "" continues where the last run ended
	Reason string `json:"reason"`
}

// Letter is a message of the queue.
type Letter struct {
	ID             string
	Sent, Received time.Time // into the queue, and from it for the first time, by its clock
	Event          Event
	Raw            []byte // the event as it was sent
	From           string // who gave up: scheduler or lambda
	Failed         string // why, as far as it is said
	Err            error  // the message is none of these; nothing else is known of it

	receipt string
}

// record is what Lambda sends of a run that failed for good:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type record struct {
	RequestContext *struct {
		Condition              string
		ApproximateInvokeCount int
	}
	RequestPayload  json.RawMessage
	ResponseContext struct{ FunctionError string }
	ResponsePayload json.RawMessage
}

// read finds out what a message says. What Scheduler could not hand over is the event
// itself; why is in attributes of the message.
func (l *Letter) read(body []byte, attribute func(string) string) {
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		l.Err = fmt.Errorf("the message is not JSON: %w", err)
		return
	}
	l.From, l.Raw, l.Failed = "scheduler", body, cmp.Or(attribute("ERROR_MESSAGE"), attribute("ERROR_CODE"))
	if r.RequestContext != nil {
		l.From, l.Raw = "lambda", r.RequestPayload
		l.Failed = fmt.Sprintf("%s after %d tries", cmp.Or(r.RequestContext.Condition, "failed"), r.RequestContext.ApproximateInvokeCount)
		if r.ResponseContext.FunctionError != "" {
			l.Failed += ", " + r.ResponseContext.FunctionError + ": " + messageOf(r.ResponsePayload)
		}
	}
	event, err := parseEvent(l.Raw)
	if err != nil {
		l.From, l.Failed, l.Err = "", "", err
	}
	l.Event = event
}

// parseEvent reads an event. The queue is no place for anything else, and the function
// shall not be started with what this code does not know.
func parseEvent(text []byte) (Event, error) {
	var e Event
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return Event{}, fmt.Errorf("the message has no event: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Event{}, errors.New("the message has more than an event")
	}
	if e.Source == "" {
		return Event{}, errors.New("the event of the message names no source")
	}
	return e, nil
}
