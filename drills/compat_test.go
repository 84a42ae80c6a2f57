package drills

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCompatible goes under load through what a release can meet: the images of the
// release before with this chart, and these images with the chart of the release before.
// The values are those of this chart, without what the chart before does not know. The
// release before is the commit of BOURSE_TEST_OLD; else the newest tag before this
// commit; else, where there are none, what was there before the last change of chart or
// code.
func TestCompatible(t *testing.T) {
	c := installed(t)
	old := c.checkOut(t)
	before := &cluster{dir: c.dir, root: old, kubeconfig: c.kubeconfig}
	if err := before.loadImages(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	given, err := c.helm(t.Context(), "get", "values", release, "-n", namespace, "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	l := c.start(t, clients)
	for _, step := range []struct{ what, root, tag string }{
		{"the old images with the new chart", c.root, "old"},
		{"the new images with the old chart", old, "drill"},
		{"the new images with the new chart", c.root, "drill"},
	} {
		sent := l.sent()
		if err := c.roll(t, filepath.Join(step.root, "deploy", "chart"), step.tag, given); err != nil {
			t.Fatalf("%s: %v\n%s", step.what, err, c.state(t.Context()))
		}
		c.running(t, step.tag)
		if out, err := c.helm(t.Context(), "test", release, "-n", namespace, "--timeout", "2m"); err != nil {
			t.Errorf("%s: %v\n%s", step.what, err, out)
		}
		t.Logf("%s: %d requests", step.what, l.sent()-sent)
	}
	l.none(1000)
}

// checkOut makes a work tree of the release before, and returns its path.
func (c *cluster) checkOut(t *testing.T) string {
	t.Helper()
	ref := os.Getenv("BOURSE_TEST_OLD")
	if ref == "" {
		tag, err := c.command(t.Context(), "git", "describe", "--tags", "--abbrev=0", "HEAD^")
		if err != nil {
			changed, err := c.command(t.Context(), "git", "rev-list", "-1", "HEAD", "--", "deploy/chart", "cmd", "internal")
			if err != nil {
				t.Fatal(err)
			}
			tag = strings.TrimSpace(changed) + "^"
		}
		ref = strings.TrimSpace(tag)
	}
	dir := filepath.Join(t.TempDir(), "old")
	if _, err := c.command(t.Context(), "git", "worktree", "add", "--detach", dir, ref); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := c.command(context.Background(), "git", "worktree", "remove", "--force", dir); err != nil {
			t.Error(err)
		}
	})
	subject, err := c.command(t.Context(), "git", "-C", dir, "log", "-1", "--format=%h %s")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the release before: %s", strings.TrimSpace(subject))
	return dir
}

// refused is how a chart says which values it does not know.
var refused = regexp.MustCompile(`at '([^']*)': additional properties (.+) not allowed`)

// roll upgrades to a chart and images, with values in JSON. Those that the chart does not
// know are left out.
func (c *cluster) roll(t *testing.T, chart, tag, given string) error {
	t.Helper()
	var values map[string]any
	if err := json.Unmarshal([]byte(given), &values); err != nil {
		return err
	}
	file := filepath.Join(t.TempDir(), "values.json")
	for {
		text, err := json.Marshal(values)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		_, err = c.helm(t.Context(), "upgrade", release, chart, "-n", namespace, "-f", file, "--set", "image.tag="+tag, "--wait", "--timeout", patience.String())
		if err == nil {
			return nil
		}
		unknown := refused.FindAllStringSubmatch(err.Error(), -1)
		if unknown == nil {
			return err
		}
		for _, u := range unknown {
			at := values
			for name := range strings.SplitSeq(strings.Trim(u[1], "/"), "/") {
				if name != "" {
					at, _ = at[name].(map[string]any)
				}
			}
			for name := range strings.SplitSeq(u[2], ", ") {
				name = strings.Trim(name, "'")
				if _, has := at[name]; !has {
					return errors.Join(err, fmt.Errorf("%s is not among the values", name))
				}
				t.Logf("left out, as the chart does not know it: %s/%s", u[1], name)
				delete(at, name)
			}
		}
	}
}

// running makes sure that the pods that serve are of images with a tag.
func (c *cluster) running(t *testing.T, tag string) {
	t.Helper()
	images, err := c.kubectl(t.Context(), "-n", namespace, "get", "deployments", "-o", `jsonpath={range .items[*]}{.spec.template.spec.containers[*].image}{"\n"}{end}`)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(images, ":"+tag+"\n"); n != 2 {
		t.Fatalf("%d deployments run :%s, want 2: %s", n, tag, images)
	}
}
