package drills

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// clients is how many read at once during a drill.
const clients = 16

// TestRollingUpdate updates all pods under load, three times in a row.
func TestRollingUpdate(t *testing.T) {
	c := installed(t)
	for round := range 3 {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) {
			h := c.hammer(t)
			c.restart(t)
			for h.count() < many {
				c.restart(t)
			}
			h.none(many)
		})
	}
}

// restart rolls out the same release with another variable in its pods.
func (c *cluster) restart(t *testing.T) {
	t.Helper()
	began := time.Now()
	if out, err := c.upgrade(t.Context(), "drill", "--set", fmt.Sprintf("env.BOURSE_DRILL_ROUND=r%d", began.UnixNano())); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("rolled out in %s", time.Since(began).Round(time.Second))
}

// TestRollback goes back to the release before, again and again, under load.
func TestRollback(t *testing.T) {
	c := installed(t)
	c.restart(t)
	h := c.hammer(t)
	for times := 0; times < 2 || h.count() < many; times++ {
		began := time.Now()
		if out, err := c.helm(t.Context(), "rollback", release, "-n", namespace, "--wait", "--timeout", patience.String()); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("rolled back in %s", time.Since(began).Round(time.Second))
	}
	h.none(many)
}

// TestPodsAreDeleted deletes a pod every five seconds under load.
func TestPodsAreDeleted(t *testing.T) {
	c := installed(t)
	h := c.hammer(t)
	deleted := 0
	for ; deleted < 12 || h.count() < many; deleted++ {
		names, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component in (api,web)",
			"-o", `jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.name}{.metadata.deletionTimestamp}{"\n"}{end}`)
		if err != nil {
			t.Fatal(err)
		}
		var list []string // of those that do not end already
		for name := range strings.FieldsSeq(names) {
			if !strings.HasSuffix(name, "Z") {
				list = append(list, name)
			}
		}
		if _, err := c.kubectl(t.Context(), "-n", namespace, "delete", "pod", list[rand.IntN(len(list))], "--wait=false"); err != nil {
			t.Fatal(err)
		}
		c.pause(t.Context(), 5*time.Second)
	}
	t.Logf("%d pods were deleted", deleted)
	h.none(many)
	if _, err := c.kubectl(t.Context(), "-n", namespace, "wait", "--for=condition=available", "deployment", "--all", "--timeout", "2m"); err != nil {
		t.Error(err)
	}
}

// pause lets some time pass: the pace of a drill, not a wait for something.
func (c *cluster) pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// TestBadRelease rolls out a release whose pods never become ready: the old ones go on
// serving, and helm undoes it.
func TestBadRelease(t *testing.T) {
	c := installed(t)
	l := c.start(t, clients)
	out, err := c.upgrade(t.Context(), "drill", "--set", "env.BOURSE_ADDR=:1", "--rollback-on-failure", "--timeout", "60s")
	if err == nil {
		t.Errorf("the bad release was taken: %s", out)
	}
	l.none(1000)
	status, err := c.helm(t.Context(), "status", release, "-n", namespace)
	if err != nil || !strings.Contains(status, "STATUS: deployed") {
		t.Errorf("%s, %v", status, err)
	}
}
