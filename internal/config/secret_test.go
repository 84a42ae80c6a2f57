package config

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSecret renews a secret in a file under a function that was made before.
func TestSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	inFile := Secret("file://" + path)
	if _, err := inFile(); err == nil {
		t.Error("a file that is not there gives a secret")
	}
	for _, want := range []string{"old", "new"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := inFile(); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if got, err := Secret("literal")(); err != nil || got != "literal" {
		t.Errorf("%q, %v", got, err)
	}
}
