package drills

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInstall is the installation as a person would check it: on the drills' cluster, or
// without one that of the cluster of BOURSE_TEST_KUBECONFIG, as it is.
func TestInstall(t *testing.T) {
	c := found(t)
	if c == nil {
		c = installed(t)
	}
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
		if c.values == "" {
			t.Skip("how many replicas there are is up to who installed it")
		}
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

// found returns the cluster of BOURSE_TEST_KUBECONFIG, with the release that somebody has
// installed on it, or nil where there is one for drills. It is looked at and left as it is.
func found(t *testing.T) *cluster {
	t.Helper()
	kubeconfig := os.Getenv("BOURSE_TEST_KUBECONFIG")
	if kubeconfig == "" || os.Getenv("BOURSE_TEST_CLUSTER") != "" {
		return nil
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Fatal("the way to a cluster is kubectl, which is not installed")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{dir: filepath.Dir(kubectl), root: root, kubeconfig: kubeconfig}
	if status, err := c.helm(t.Context(), "status", release, "-n", namespace); err != nil {
		t.Fatalf("%v\n%s", err, status)
	}
	c.url = c.forward(t)
	return c
}

// forward opens a way to the dashboard's Service for as long as the test, and returns its
// URL.
func (c *cluster) forward(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(c.dir, "kubectl"), "-n", namespace, "port-forward", "service/"+release+"-web", ":80")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended it
	lines := bufio.NewScanner(out)
	lines.Scan()
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(lines.Text())
	if address == "" {
		t.Fatalf("kubectl forwards nothing: %q", lines.Text())
	}
	go func() { // it says a line for each connection, and waits until somebody reads it
		for lines.Scan() {
			continue
		}
	}()
	return "http://" + address
}
