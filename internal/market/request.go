package market

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
	// Value is asked for each request, so that a secret can be renewed at any time.
	Value func() (string, error)
}
