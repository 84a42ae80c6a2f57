// Package config reads the configuration of a binary: flags, and for each flag an
// environment variable by one rule: -database-url is BOURSE_DATABASE_URL. A flag on
// the command line wins.
package config

import (
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/peterbourgon/ff/v3"
)

// Parse reads args and the environment into the flags of fs.
func Parse(fs *flag.FlagSet, args []string) error {
	if err := ff.Parse(fs, args, ff.WithEnvVarPrefix("BOURSE")); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("configuration: unexpected argument %q", fs.Arg(0))
	}
	return nil
}

// Attrs returns the values of all flags for the log, without their secrets.
func Attrs(fs *flag.FlagSet) []any {
	var attrs []any
	fs.VisitAll(func(f *flag.Flag) {
		attrs = append(attrs, slog.String(f.Name, redact(f.Name, f.Value.String())))
	})
	return attrs
}

func redact(name, value string) string {
	if value == "" {
		return ""
	}
	for _, word := range []string{"key", "secret", "password", "token"} {
		if strings.Contains(name, word) {
			return "REDACTED"
		}
	}
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return u.Redacted()
	}
	return value
}
