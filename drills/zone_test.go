package drills

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestZoneLoss pulls the plug of a zone under load, behind a balancer that checks its
// targets and without one, and prints what it costs. Clients that try a read again once,
// when the balancer has noticed, lose nothing.
func TestZoneLoss(t *testing.T) {
	c := installed(t)
	found, err := c.kubectl(t.Context(), "get", "nodes", "-o", "jsonpath={.items[1].metadata.name} {.items[1].metadata.labels.topology\\.kubernetes\\.io/zone}")
	if err != nil {
		t.Fatal(err)
	}
	node, zone, _ := strings.Cut(found, " ")
	balancer := c.balanced(t)
	plain, behind, retrying := c.start(t, 6), c.startAt(t, balancer, 6, 0), c.startAt(t, balancer, 4, 1)
	c.pause(t.Context(), 10*time.Second)
	lost := time.Now()
	if out, err := c.command(t.Context(), filepath.Join(c.dir, "zone"), "stop", zone); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	defer func() {
		if out, err := c.command(t.Context(), filepath.Join(c.dir, "zone"), "start", zone); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}()
	for {
		api, web := c.serving(t, "api", node), c.serving(t, "web", node)
		if api >= 3 && web >= 3 {
			t.Logf("back to strength %s after the zone was lost", time.Since(lost).Round(time.Second))
			break
		}
		if time.Since(lost) > 90*time.Second {
			t.Fatalf("not back to strength after %s: %d of api, %d of web", time.Since(lost), api, web)
		}
		c.pause(t.Context(), time.Second)
	}
	c.pause(t.Context(), 10*time.Second)
	for name, l := range map[string]*load{"without a balancer": plain, "behind a balancer": behind} {
		l.stop()
		first, last := l.failures()
		t.Logf("%s: %d of %d requests failed, from %s to %s after the loss", name, len(l.failed), l.sent,
			first.Sub(lost).Round(100*time.Millisecond), last.Sub(lost).Round(100*time.Millisecond))
		if last.Sub(lost) > 40*time.Second {
			t.Errorf("%s: requests failed until %s after the loss", name, last.Sub(lost))
		}
	}
	retrying.none(100)
}

// serving counts the pods of a part that are ready and not on a node that is lost.
func (c *cluster) serving(t *testing.T, part, lost string) int {
	t.Helper()
	pods, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component="+part,
		"-o", `jsonpath={range .items[*]}{.spec.nodeName}/{.status.conditions[?(@.type=="Ready")].status}/{.metadata.deletionTimestamp}{"\n"}{end}`)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for pod := range strings.FieldsSeq(pods) {
		if fields := strings.Split(pod, "/"); fields[0] != lost && fields[1] == "True" && fields[2] == "" {
			n++
		}
	}
	return n
}
