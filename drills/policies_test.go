package drills

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPolicies asks the API server of the cluster about all that the chart makes, and
// about each best practice broken once.
func TestPolicies(t *testing.T) {
	c := installed(t)
	t.Setenv("BOURSE_TEST_KUBECONFIG", c.kubeconfig)
	out, err := c.command(t.Context(), "go", "-C", filepath.Join("tools", "chart"), "test", ".", "-run", "TestAPIServer", "-count=1", "-v")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, "apiserver_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
