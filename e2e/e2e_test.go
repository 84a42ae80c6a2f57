package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestScripts runs every script in-process.
func TestScripts(t *testing.T) {
	scripts := load(t)
	usual := start(t, "")
	for _, s := range scripts {
		t.Run(strings.TrimSuffix(s.file, ".txt"), func(t *testing.T) {
			base := usual
			if s.world != "" {
				base = start(t, s.world)
			}
			s.run(t, base)
		})
	}
}

// TestLive runs the scripts against a server that runs already.
func TestLive(t *testing.T) {
	base := strings.TrimRight(os.Getenv("BOURSE_E2E_URL"), "/")
	if base == "" {
		t.Skip("BOURSE_E2E_URL does not say which server to test: make e2e URL=https://…")
	}
	for _, s := range load(t) {
		if s.inProcess {
			continue
		}
		t.Run(strings.TrimSuffix(s.file, ".txt"), func(t *testing.T) { s.run(t, base) })
	}
}

func load(t *testing.T) []script {
	t.Helper()
	scripts, err := loadScripts()
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) == 0 {
		t.Fatal("there are no scripts")
	}
	return scripts
}
