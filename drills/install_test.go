package drills

import (
	"os"
	"strings"
	"testing"
)

// TestInstall is the installation as a person would check it.
func TestInstall(t *testing.T) {
	c := installed(t)
	t.Run("helm test", func(t *testing.T) {
		if out, err := c.helm(t.Context(), "test", release, "-n", namespace, "--timeout", "2m"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("scripts", func(t *testing.T) {
		t.Setenv("BOURSE_E2E_URL", c.url)
		out, err := c.command(t.Context(), "go", "test", "./e2e", "-run", "TestLive", "-count=1")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("spread", func(t *testing.T) {
		for _, part := range []string{"api", "web"} {
			nodes, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component="+part,
				"-o", "jsonpath={range .items[*]}{.spec.nodeName}{\"\\n\"}{end}")
			if err != nil {
				t.Fatal(err)
			}
			zones := map[string]bool{}
			for node := range strings.FieldsSeq(nodes) {
				zones[node] = true
			}
			if len(zones) != 3 {
				t.Errorf("%s runs on %d nodes: %s", part, len(zones), nodes)
			}
		}
	})
	t.Run("browser", func(t *testing.T) {
		if _, err := os.Stat("../web/node_modules/playwright-core"); err != nil {
			t.Skip("the dashboard's tools are not installed: make test-browser")
		}
		out, err := c.command(t.Context(), "node", "drills/open.mjs", c.url)
		if err != nil || !strings.Contains(out, "EURUSD") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
