// Package secret reads secrets from where a setting says they are: in the setting itself,
// in a file, or in AWS Secrets Manager. Each is read again when it may have been renewed, so
// that a rotation needs no restart.
package secret

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"bourse/internal/market"
)

// Secret is a secret that can be renewed at any time. It is safe for concurrent use.
type Secret struct {
	read func(context.Context) (string, error)
	// keep is how long a value is given without being read again.
	keep time.Duration

	mu     sync.Mutex
	value  string
	readAt time.Time // zero where it was never read
}

// Open returns the secret that a setting names: file:///run/secrets/key is read each time,
// awssecretsmanager:// with the ARN or the name of a secret of AWS Secrets Manager when an
// hour is over or [Secret.Renew] asks for it; anything else is the secret itself. Nothing is
// read yet.
func Open(setting string) *Secret {
	if path, ok := strings.CutPrefix(setting, "file://"); ok {
		return &Secret{read: func(context.Context) (string, error) { return readFile(path) }}
	}
	if id, ok := strings.CutPrefix(setting, "awssecretsmanager://"); ok {
		return &Secret{read: (&manager{id: id}).read, keep: time.Hour}
	}
	return &Secret{read: func(context.Context) (string, error) { return setting, nil }}
}

// Value returns the secret. Where it cannot be read again, the value that was read last
// goes on. Errors are [market.Failure]s and tell nothing of it.
func (s *Secret) Value(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readAt.IsZero() || time.Since(s.readAt) >= s.keep {
		if err := s.again(ctx); err != nil && (s.readAt.IsZero() || s.keep == 0) {
			return "", err
		}
	}
	return s.value, nil
}

// Renew reads the secret again, as after it was refused, and reports whether it has changed
// since it was last read.
func (s *Secret) Renew(ctx context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.value
	err := s.again(ctx)
	return err == nil && s.value != before, err
}

func (s *Secret) again(ctx context.Context) error {
	value, err := s.read(ctx)
	if err != nil {
		return err
	}
	s.value, s.readAt = value, time.Now()
	return nil
}

func readFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", unreadable(market.NeedsPerson, err)
	}
	value := strings.TrimSpace(string(text))
	if value == "" {
		return "", unreadable(market.NeedsPerson, errors.New("the file is empty"))
	}
	return value, nil
}

func unreadable(o market.Outcome, err error) error {
	return &market.Failure{Outcome: o, Reason: "the key cannot be read", Err: err}
}
