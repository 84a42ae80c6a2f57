package market

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"
)

// Key is an API key without its secret: what is stored of it and shown of it.
type Key struct {
	ID        string // names it in lists and logs
	Name      string // whom it was given to
	Hash      string // SHA-256 of the secret, in hex
	Sources   []string
	CreatedAt time.Time
	RevokedAt time.Time // zero while it is good
}

// AllSources stands for every source in [Key.Sources].
const AllSources = "*"

// keyPrefix makes a secret known for what it is, to people and to scanners of code.
const keyPrefix = "bourse_"

// NewKey returns a key that may read series under an internal licence of some sources,
// and its secret, which is nowhere else: 26 random characters, 130 bits. So many need
// no slow hash.
func NewKey(name string, sources []string, now time.Time) (k Key, secret string) {
	secret = keyPrefix + strings.ToLower(rand.Text())
	return Key{ID: KeyID(secret), Name: name, Hash: SHA256([]byte(secret)), Sources: sources, CreatedAt: now.UTC()}, secret
}

// KeyID returns the part of a secret that may be shown: enough to tell keys apart, too
// little to guess the rest.
func KeyID(secret string) string {
	rest := strings.TrimPrefix(secret, keyPrefix)
	return rest[:min(6, len(rest))]
}

// MayRead reports whether the key opens the internal series of a source.
func (k Key) MayRead(source string) bool {
	return slices.Contains(k.Sources, AllSources) || slices.Contains(k.Sources, source)
}
