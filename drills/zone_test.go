package drills

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// strength is how soon after the loss of a zone all replicas must run again.
const strength = 90 * time.Second

// TestZoneOfAPIIsLost pulls the plug of a zone in which there are pods of the API and none
// of the dashboard, under load: that costs nothing, and neither does the zone's return.
func TestZoneOfAPIIsLost(t *testing.T) {
	c := installed(t)
	zone := c.zone(t)
	// Web stays out of the zone, whose loss is then one of API pods alone.
	bind := func(affinity string) {
		t.Helper()
		patch := `{"spec":{"template":{"spec":{"affinity":` + affinity + `}}}}`
		if _, err := c.kubectl(context.WithoutCancel(t.Context()), "-n", namespace, "patch", "deployment", release+"-web", "--patch", patch); err != nil {
			t.Fatal(err)
		}
		c.rolledOut(t)
	}
	t.Cleanup(func() { bind("null") })
	bind(`{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[
		{"key":"topology.kubernetes.io/zone","operator":"NotIn","values":["` + zone.name + `"]}]}]}}}`)
	if c.on(t, "web", zone.node) != 0 || c.on(t, "api", zone.node) == 0 {
		t.Fatal("the zone has not just pods of the API")
	}
	h := c.hammer(t)
	c.lose(t, zone)
	c.comeBack(t, zone)
	h.none(1000)
}

// TestZoneLoss pulls the plug of a whole zone under load, behind a balancer that checks its
// targets and without one. Until the loss is noticed it may cost the share of the zone, and
// nothing after that; clients that try a read again once, when it has been noticed, lose
// nothing. The zone's return costs nobody anything.
func TestZoneLoss(t *testing.T) {
	c := installed(t)
	zone := c.zone(t)
	balancer := c.balanced(t)
	plain, behind := c.startAt(t, c.url, 6, 0), c.startAt(t, balancer, 6, 0)
	retrying := c.startAt(t, balancer, 4, 1)
	c.pause(t.Context(), 10*time.Second)
	lost := time.Now()
	c.lose(t, zone)
	for _, l := range []struct {
		*load
		name    string
		noticed time.Duration // how long the loss may go unnoticed, and a client then waits
	}{{plain, "without a balancer", 25 * time.Second}, {behind, "behind a balancer", 15 * time.Second}} {
		l.stop()
		within := l.between(lost, lost.Add(l.noticed))
		t.Logf("%s: %d of %d requests failed; %d ended within %s of the loss", l.name, len(l.failed), l.sent(), within, l.noticed)
		_, last := l.failures()
		if len(l.failed) > 0 {
			t.Logf("%s: the last of them failed %s after the loss", l.name, last.Sub(lost).Round(100*time.Millisecond))
		}
		if last.After(lost.Add(l.noticed)) {
			t.Errorf("%s: requests fail longer than %s", l.name, l.noticed)
		}
		// Two of its requests are lost for each of its clients, even where they are few.
		if most := within/3 + 2*6; len(l.failed) > most {
			t.Errorf("%s: %d of %d failed meanwhile, which is more than the share of the zone", l.name, len(l.failed), within)
		}
	}
	h := c.hammer(t)
	c.comeBack(t, zone)
	h.none(1000)
	retrying.none(100)
}

// zone is one with one node.
type zone struct {
	name, node string
	off        bool
}

func (c *cluster) zone(t *testing.T) *zone {
	t.Helper()
	found, err := c.kubectl(t.Context(), "get", "nodes", "-o", "jsonpath={.items[1].metadata.name} {.items[1].metadata.labels.topology\\.kubernetes\\.io/zone}")
	if err != nil {
		t.Fatal(err)
	}
	node, name, _ := strings.Cut(found, " ")
	return &zone{name: name, node: node}
}

// lose cuts the power of a zone and waits until all replicas run elsewhere. Meanwhile no
// one can evict what is left, and the pods are spread over the other zones.
func (c *cluster) lose(t *testing.T, z *zone) {
	t.Helper()
	lost := time.Now()
	c.power(t, "stop", z)
	t.Cleanup(func() {
		if z.off {
			c.power(t, "start", z)
		}
	})
	guarded := false
	for {
		api, web := c.ready(t, "api"), c.ready(t, "web")
		if api >= 3 && web >= 3 && c.on(t, "api", z.node)+c.on(t, "web", z.node) == 0 {
			break
		}
		if api == 2 && !guarded {
			guarded = c.refusesEviction(t)
		}
		if time.Since(lost) > strength {
			t.Fatalf("not back to strength after %s: %d of api, %d of web", time.Since(lost), api, web)
		}
		c.pause(t.Context(), time.Second)
	}
	t.Logf("back to strength %s after the zone was lost", time.Since(lost).Round(time.Second))
	if !guarded {
		t.Error("the budget did not protect what was left")
	}
	c.spread(t, "api", 2)
}

// comeBack switches the zone on again and spreads the pods over all of them, which
// Kubernetes does for new pods only.
func (c *cluster) comeBack(t *testing.T, z *zone) {
	t.Helper()
	began := time.Now()
	c.power(t, "start", z)
	if _, err := c.kubectl(t.Context(), "wait", "node/"+z.node, "--for=condition=Ready", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.kubectl(t.Context(), "-n", namespace, "rollout", "restart", "deployment"); err != nil {
		t.Fatal(err)
	}
	c.rolledOut(t)
	c.spread(t, "api", 3)
	t.Logf("spread over all zones %s after the zone was back", time.Since(began).Round(time.Second))
}

func (c *cluster) power(t *testing.T, does string, z *zone) {
	t.Helper()
	// A zone is switched on again after the test's context has ended, too.
	if out, err := c.command(context.WithoutCancel(t.Context()), filepath.Join(c.dir, "zone"), does, z.name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	z.off = does == "stop"
}

// rolledOut waits until all pods are those of the newest revision.
func (c *cluster) rolledOut(t *testing.T) {
	t.Helper()
	for _, part := range []string{"api", "web"} {
		if _, err := c.kubectl(context.WithoutCancel(t.Context()), "-n", namespace, "rollout", "status", "deployment/"+release+"-"+part, "--timeout", patience.String()); err != nil {
			t.Fatal(err)
		}
	}
}

// refusesEviction reports whether the disruption budget keeps a pod of the API from being
// evicted.
func (c *cluster) refusesEviction(t *testing.T) bool {
	t.Helper()
	pods := c.pods(t, "api")
	if len(pods) == 0 {
		return false
	}
	name := pods[0].name
	eviction := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q,"namespace":%q},"deleteOptions":{"dryRun":["All"]}}`, name, namespace)
	file := filepath.Join(t.TempDir(), "eviction.json")
	if err := os.WriteFile(file, []byte(eviction), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := c.kubectl(t.Context(), "create", "--raw", "/api/v1/namespaces/"+namespace+"/pods/"+name+"/eviction", "-f", file)
	return err != nil && strings.Contains(err.Error(), "disruption budget")
}

// pod is one that is ready and not about to end.
type pod struct{ name, node string }

func (c *cluster) pods(t *testing.T, part string) []pod {
	t.Helper()
	list, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component="+part,
		"-o", `jsonpath={range .items[*]}{.metadata.name}/{.spec.nodeName}/{.status.conditions[?(@.type=="Ready")].status}/{.metadata.deletionTimestamp}{"\n"}{end}`)
	if err != nil {
		t.Fatal(err)
	}
	var pods []pod
	for line := range strings.FieldsSeq(list) {
		if fields := strings.Split(line, "/"); fields[2] == "True" && fields[3] == "" {
			pods = append(pods, pod{fields[0], fields[1]})
		}
	}
	return pods
}

// ready is how many pods of a part are ready and not about to end.
func (c *cluster) ready(t *testing.T, part string) int {
	t.Helper()
	return len(c.pods(t, part))
}

// on is how many of these are on a node.
func (c *cluster) on(t *testing.T, part, node string) (n int) {
	t.Helper()
	for _, pod := range c.pods(t, part) {
		if pod.node == node {
			n++
		}
	}
	return n
}

// spread makes sure that a part runs in so many zones, in none with two pods more than in
// another.
func (c *cluster) spread(t *testing.T, part string, zones int) {
	t.Helper()
	count := map[string]int{}
	for _, pod := range c.pods(t, part) {
		count[pod.node]++
	}
	least, most := 1000, 0
	for _, n := range count {
		least, most = min(least, n), max(most, n)
	}
	if len(count) != zones || most-least > 1 {
		t.Errorf("%s is spread over the nodes so: %v", part, count)
	}
}
