package market

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Outcome is the class of what a request or a run came to. It decides what happens next.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"
	RetryAfter  Outcome = "retry-after"  // may work when tried again soon
	QuotaUntil  Outcome = "quota-until"  // will work when the quota is renewed
	Permanent   Outcome = "permanent"    // will never work as asked
	NeedsPerson Outcome = "needs-person" // someone must look: a changed format, a refused key
	Interrupted Outcome = "interrupted"  // the process ended before the run did
)

// Run is the record of one attempt to bring a source up to date.
type Run struct {
	ID       int64
	Source   string
	Trigger  string // "start", "schedule", "manual", "backfill" or "replay"
	Started  time.Time
	Finished time.Time // zero while it is running
	Outcome  Outcome   // empty while it is running
	Error    string    // what went wrong, for people; never a secret
	RetryAt  time.Time // not before this, where the outcome says so
	Requests int       // sent upstream, retries included
	Payloads int       // received whole
	Counts
	Newest time.Time     // newest bar of the source when it ended
	Lag    time.Duration // from the source's time of publication to its arrival here
}

// Counts says what became of the bars of a payload, or of all payloads of a run.
type Counts struct {
	Bars      int // read from payloads and sound
	Inserted  int // new to the store
	Revised   int // different from what was stored; the old value is kept
	Unchanged int
	Rejected  int // held in quarantine
	Flagged   int // loaded and marked for review
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.Bars += o.Bars
	c.Inserted += o.Inserted
	c.Revised += o.Revised
	c.Unchanged += o.Unchanged
	c.Rejected += o.Rejected
	c.Flagged += o.Flagged
}

// Payload is one receipt: bytes that a source gave at a time.
type Payload struct {
	ID         int64 // in the store; zero in the archive
	RunID      int64
	Source     string
	Resource   string // what was asked for, in the source's own terms
	URL        string // without credentials
	Status     int    // HTTP status; zero where there was no HTTP
	Header     map[string][]string
	ReceivedAt time.Time
	SHA256     string // of the bytes, in hex; their name in the archive
	Size       int64
}

// SourceTime returns when the source answered by its own clock, of which its header
// Date tells, else when the answer was received.
func (p Payload) SourceTime() time.Time {
	if date := p.Header["Date"]; len(date) > 0 {
		if t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", date[0]); err == nil { // RFC 9110, section 5.6.7
			return t
		}
	}
	return p.ReceivedAt
}

// SHA256 returns the hash of bytes in hex, by which payloads are named.
func SHA256(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Quarantined is a value that was held back, or loaded and marked for review.
type Quarantined struct {
	ID       int64
	Source   string
	Symbol   string
	Interval Interval
	Start    time.Time
	Raw      string // the value as the source wrote it
	Reason   string
	Loaded   bool // true: stored and marked for review; false: held back
	RunID    int64
	SHA256   string // of the payload that has it
	FoundAt  time.Time
}
