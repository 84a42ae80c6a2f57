package drills

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetwork looks from pods with and without the labels of the parts at what they reach.
func TestNetwork(t *testing.T) {
	c := installed(t)
	program, tar := filepath.Join(t.TempDir(), "probe"), filepath.Join(t.TempDir(), "probe.tar")
	t.Setenv("CGO_ENABLED", "0")
	for _, command := range [][]string{
		{"go", "build", "-o", program, "./drills/probe"}, {filepath.Join(c.dir, "image"), "localhost/probe:drill", tar, program}, {filepath.Join(c.dir, "load"), tar},
	} {
		if out, err := c.command(t.Context(), command[0], command[1:]...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	address := func(service string) string {
		ip, err := c.kubectl(t.Context(), "-n", namespace, "get", "service", service, "-o", "jsonpath={.spec.clusterIP}")
		if err != nil {
			t.Fatal(err)
		}
		return net.JoinHostPort(ip, "80")
	}
	api, web, database := address(release+"-api"), address(release+"-web"), c.database.address
	for labels, reaches := range map[string]map[string]bool{
		"app=stranger": {api: false, database: true}, // what a stranger's own policies let out is not ours to say
		"app.kubernetes.io/name=bourse,app.kubernetes.io/instance=bourse":                                 {api: false, database: false, web: false},
		"app.kubernetes.io/name=bourse,app.kubernetes.io/instance=bourse,app.kubernetes.io/component=web": {api: true, database: false},
		"app.kubernetes.io/name=bourse,app.kubernetes.io/instance=bourse,app.kubernetes.io/component=api": {database: true, web: false},
	} {
		var args, want []string
		for to, yes := range reaches {
			args, want = append(args, to), append(want, fmt.Sprint(to, " ", yes))
		}
		got := c.look(t, labels, args)
		if got != strings.Join(want, "\n") {
			t.Errorf("a pod with %s:\n%s\nwant\n%s", labels, got, strings.Join(want, "\n"))
		}
	}
}

// look runs the probe as a pod with labels and returns what it says.
func (c *cluster) look(t *testing.T, labels string, addresses []string) string {
	t.Helper()
	name := fmt.Sprintf("probe-%d", len(labels))
	// It never becomes ready, so that it is no endpoint of the part whose labels it has.
	overrides := `{"spec":{"readinessGates":[{"conditionType":"bourse/drill"}],"automountServiceAccountToken":false,"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"` + name +
		`","image":"localhost/probe:drill","args":["` + strings.Join(addresses, `","`) + `"],"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}},` +
		`"resources":{"requests":{"cpu":"10m","memory":"32Mi"},"limits":{"cpu":"100m","memory":"32Mi"}}}]}}`
	_, err := c.kubectl(t.Context(), "-n", namespace, "run", name, "--image=localhost/probe:drill", "--restart=Never", "--labels="+labels, "--overrides="+overrides)
	if err == nil {
		_, err = c.kubectl(t.Context(), "-n", namespace, "wait", "pod/"+name, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
	}
	said, logs := c.kubectl(t.Context(), "-n", namespace, "logs", name)
	_, gone := c.kubectl(t.Context(), "-n", namespace, "delete", "pod", name, "--wait")
	if err != nil || logs != nil || gone != nil {
		t.Fatal(err, logs, gone)
	}
	return strings.TrimSpace(said)
}
