package market

// Request is one thing to ask a source for.
type Request struct {
	Resource string // in the source's own terms; stays the same when its address changes
	URL      string
	MaxBytes int64 // a larger body is refused
}
