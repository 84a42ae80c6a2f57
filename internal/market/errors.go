package market

import (
	"errors"
	"fmt"
	"time"
)

// Errors that stores and archives return, wrapped or plain.
var (
	ErrNotFound = errors.New("not found")
	// ErrLocked means that another process is writing the same source.
	ErrLocked = errors.New("locked by another writer")
	// ErrQuota means that a source may not be asked again on this day.
	ErrQuota = errors.New("the quota is used up")
	// ErrRealData means that simulated bars were kept out of a store with real ones.
	ErrRealData = errors.New("the store has real data")
)

// Failure is an upstream's failure with its class.
type Failure struct {
	Outcome Outcome
	Reason  string        // for people; goes into the run record, so never a secret
	After   time.Duration // the least time to wait, where the source said so
	Err     error         // cause, for the log
	// Refused says that the credential was not accepted: a renewed one may be.
	Refused bool
	// Alone says that it concerns this request alone: others of the run may succeed.
	Alone bool
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Reason
	}
	return f.Reason + ": " + f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

// Malformed is the failure of bytes that do not parse at all: cut off, garbage. They
// may well be whole next time.
func Malformed(format string, args ...any) error {
	return &Failure{Outcome: RetryAfter, Reason: fmt.Sprintf(format, args...), Alone: true}
}

// Drift is the failure of bytes that are whole and not what the contract says. Trying
// again does not help: the code or the source must be mended.
func Drift(format string, args ...any) error {
	return &Failure{Outcome: NeedsPerson, Reason: "schema drift: " + fmt.Sprintf(format, args...), Alone: true}
}
