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
			l := c.start(t, clients)
			c.restart(t, round)
			for l.count() < 100_000 { // until there are enough of them
				c.restart(t, round+10)
			}
			l.none(100_000)
		})
	}
}

// restart rolls out the same release with another annotation of its pods.
func (c *cluster) restart(t *testing.T, round int) {
	t.Helper()
	began := time.Now()
	if out, err := c.upgrade(t.Context(), "drill", "--set", fmt.Sprintf("env.BOURSE_DRILL_ROUND=r%d-%d", round, began.Unix())); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("rolled out in %s", time.Since(began).Round(time.Second))
}

// TestRollback goes back to the release before, under load.
func TestRollback(t *testing.T) {
	c := installed(t)
	c.restart(t, 20)
	l := c.start(t, clients)
	for range 2 {
		if out, err := c.helm(t.Context(), "rollback", release, "-n", namespace, "--wait", "--timeout", patience.String()); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	l.none(1000)
}

// TestPodsAreDeleted deletes a pod every five seconds under load.
func TestPodsAreDeleted(t *testing.T) {
	c := installed(t)
	l := c.start(t, clients)
	for range 12 {
		names, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component in (api,web)",
			"--field-selector", "status.phase=Running", "-o", "name")
		if err != nil {
			t.Fatal(err)
		}
		list := strings.Fields(names)
		victim := list[rand.IntN(len(list))]
		if _, err := c.kubectl(t.Context(), "-n", namespace, "delete", victim, "--wait=false"); err != nil {
			t.Fatal(err)
		}
		c.pause(t.Context(), 5*time.Second)
	}
	l.none(1000)
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
