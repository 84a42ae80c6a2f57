package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// inputs are the paths that decide what is in an image. What else differs from the commit
// (a document, a chart) leaves the images as they are.
var inputs = []string{"cmd", "internal", "web", "go.mod", "go.sum", ".ko.yaml", "tools/images"}

// stamp says which sources the images are made of. It follows from the commit alone: not
// from tags, which a clone may lack, nor from the clock.
type stamp struct {
	tag      string
	revision string // the commit, "" outside of a checkout
	version  string // sorts by time, as a pseudo-version of Go does
	epoch    int64  // when the images claim to have been made
}

func readStamp(ctx context.Context, root string) (stamp, error) {
	s := stamp{tag: "dev"}
	if _, err := os.Stat(filepath.Join(root, ".git")); errors.Is(err, os.ErrNotExist) {
		return s, nil // an exported tree
	}
	head, err := git(ctx, root, "log", "-1", "--format=%H %ct")
	if err != nil {
		return stamp{}, err
	}
	commit, seconds, _ := strings.Cut(head, " ")
	if s.epoch, err = strconv.ParseInt(seconds, 10, 64); err != nil || len(commit) < 12 {
		return stamp{}, fmt.Errorf("git log answered %q", head)
	}
	changed, err := git(ctx, root, append([]string{"status", "--porcelain", "--"}, inputs...)...)
	if err != nil {
		return stamp{}, err
	}
	short := commit[:12]
	s.revision = commit
	s.version = "0.0.0-" + time.Unix(s.epoch, 0).UTC().Format("20060102150405") + "-" + short
	if changed == "" {
		s.tag = short
	} else {
		s.revision += "-dirty"
		s.version += "-dirty"
	}
	return s, nil
}

// labels are those of the OCI's image specification. There is none for a licence: the
// repository has no licence file.
func (s stamp) labels(name, source string) []string {
	labels := []string{"org.opencontainers.image.title=bourse-" + name}
	for _, l := range []struct{ key, value string }{
		{"revision", s.revision}, {"version", s.version}, {"source", source},
	} {
		if l.value != "" {
			labels = append(labels, "org.opencontainers.image."+l.key+"="+l.value)
		}
	}
	return labels
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}
