package market

import "context"

// Request is one thing to ask a source for.
type Request struct {
	Resource string // in the source's own terms; stays the same when its address changes
	URL      string // without credentials
	MaxBytes int64  // a larger body is refused
	// Credential is added to the URL when it is sent, and cut out of what comes back.
	Credential Credential
}

// Credential is a parameter of a query whose value is secret.
type Credential struct {
	Name string // empty: there is none
	Secret
}

// Secret can be renewed at any time, so its value is asked for each request.
type Secret interface {
	Value(ctx context.Context) (string, error)
	// Renew reads it again where it is kept, and reports whether it has changed.
	Renew(ctx context.Context) (changed bool, err error)
}
