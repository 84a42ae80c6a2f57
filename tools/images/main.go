// Command images builds the container images of bourse with ko, for amd64 and arm64, with
// neither a container engine nor a registry: `make images`. The same commit gives the same
// digests anywhere, as long as the Go release is the same (docs/decisions/0015-images.md).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// images are the commands that are made into images: the parts of a cluster, and the
// operator's tool for its Jobs.
var images = []string{"web", "api", "ingest", "migrate", "bourse"}

// out is where images go within the checkout. ko takes the name of its folder for that of
// an image, so it must be lower case, as the names of the folders above it need not be.
const out = "bin/images"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	started := time.Now()
	fs := flag.NewFlagSet("images", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var b builder
	var base, certificates, tag string
	fs.StringVar(&b.root, "root", "../..", "the checkout")
	fs.StringVar(&b.repo, "repo", "localhost/bourse", "what the names of the images begin with, before -api and so on")
	fs.StringVar(&tag, "tag", "", "tag of the images (default the commit, or dev where the sources differ from it)")
	fs.StringVar(&base, "base", "", "base image with its digest, pulled from a registry (default one made here)")
	fs.StringVar(&certificates, "certs", "", "file of more certificates to trust, for the base that is made here")
	fs.StringVar(&b.source, "source", "", "address of the sources, for a label")
	fs.BoolVar(&b.push, "push", false, "push the images too")
	if err := fs.Parse(args); err != nil {
		return err
	}
	names, err := choose(fs.Args())
	if err != nil {
		return err
	}
	if b.root, err = filepath.Abs(b.root); err != nil {
		return err
	}
	b.out = filepath.Join(b.root, out)
	if b.stamp, err = readStamp(ctx, b.root); err != nil {
		return err
	}
	if tag != "" {
		b.stamp.tag = tag
	}
	if b.cache, err = os.MkdirTemp("", "images"); err != nil {
		return err
	}
	defer os.RemoveAll(b.cache)
	if b.base, err = provideBase(b.cache, base, certificates); err != nil {
		return err
	}
	built, err := b.buildAll(ctx, names)
	if err != nil {
		return err
	}
	return report(stdout, built, time.Since(started))
}

func choose(names []string) ([]string, error) {
	if len(names) == 0 {
		return images, nil
	}
	known := " " + strings.Join(images, " ") + " "
	for _, name := range names {
		if !strings.Contains(known, " "+name+" ") {
			return nil, fmt.Errorf("there is no image %q, only%s", name, known)
		}
	}
	return names, nil
}
