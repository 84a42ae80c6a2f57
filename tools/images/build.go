package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
)

// builder makes images with ko.
type builder struct {
	root   string // of the checkout
	out    string // out in it: the folder for layout, archives, bills of materials and refs
	repo   string // the image of api is repo-api
	source string
	push   bool
	stamp  stamp
	base   string // reference of the base image
	cache  string // folder for ko's cache, of this run only
}

// built is an image of all its architectures.
type built struct {
	name  string
	ref   name.Tag
	index v1.ImageIndex
}

// buildAll makes the images, one after the other, since a link takes much memory. It
// leaves in out:
//
//	oci/                  all images in one layout, by name
//	NAME-ARCH.tar         an archive for clusters without a registry
//	sbom/                 what is in them, in SPDX
//	refs                  their names with digests
func (b *builder) buildAll(ctx context.Context, names []string) ([]built, error) {
	at := filepath.Join(b.out, "oci")
	for _, dir := range []string{at, filepath.Join(b.out, "sbom")} {
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	var all []built
	var refs strings.Builder
	for _, n := range names {
		image, err := b.build(ctx, layout.Path(at), n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		if err := b.archive(image); err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		digest, err := image.index.Digest()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&refs, "%s@%s\n", image.ref, digest)
		all = append(all, image)
	}
	return all, os.WriteFile(filepath.Join(b.out, "refs"), []byte(refs.String()), 0o644)
}

// build lets ko add an image to the layout, and gives it its name there.
func (b *builder) build(ctx context.Context, at layout.Path, command string) (built, error) {
	ref, err := name.NewTag(b.repo+"-"+command+":"+b.stamp.tag, name.StrictValidation)
	if err != nil {
		return built{}, err
	}
	before, err := indexes(at)
	if err != nil {
		return built{}, err
	}
	if err := b.ko(ctx, ref, command); err != nil {
		return built{}, err
	}
	after, err := indexes(at)
	if err != nil {
		return built{}, err
	}
	if len(after) != len(before)+1 {
		return built{}, fmt.Errorf("ko left %d images in the layout, where %d were before", len(after), len(before))
	}
	digest := after[len(after)-1].Digest
	root, err := at.ImageIndex()
	if err != nil {
		return built{}, err
	}
	index, err := root.ImageIndex(digest)
	if err != nil {
		return built{}, err
	}
	named := layout.WithAnnotations(nameAnnotations(ref))
	return built{command, ref, index}, at.ReplaceIndex(index, match.Digests(digest), named)
}

func indexes(at layout.Path) ([]v1.Descriptor, error) {
	root, err := at.ImageIndex()
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	manifest, err := root.IndexManifest()
	if err != nil {
		return nil, err
	}
	return manifest.Manifests, nil
}

// ko runs ko, which says much of which little matters unless it fails.
func (b *builder) ko(ctx context.Context, ref name.Tag, command string) error {
	args := []string{
		"tool", "-modfile=tools/images/go.mod", "ko", "build", "--bare", "--tags=" + ref.TagStr(),
		"--oci-layout-path=" + out + "/oci", "--sbom-dir=" + filepath.Join(b.out, "sbom"),
		"--image-user=" + user, "--push=" + strconv.FormatBool(b.push),
	}
	for _, l := range b.stamp.labels(command, b.source) {
		args = append(args, "--image-label="+l)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/"+command)...)
	cmd.Dir = b.root
	cmd.Env = append(slices.DeleteFunc(os.Environ(), misleading),
		"CGO_ENABLED=0", // of ko itself: a checkout needs no C compiler
		"KOCACHE="+b.cache,
		"KO_DEFAULTBASEIMAGE="+b.base,
		"KO_DOCKER_REPO="+ref.Repository.Name(),
		"SOURCE_DATE_EPOCH="+strconv.FormatInt(b.stamp.epoch, 10),
		"TZ=UTC", // ko writes the time of the image in the zone of the machine
	)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ko: %w\n%s", err, output.String())
	}
	return nil
}

// misleading reports whether ko must not see a variable: those of another target it
// refuses, its own would overrule .ko.yaml.
func misleading(variable string) bool {
	key, _, _ := strings.Cut(variable, "=")
	return slices.Contains([]string{"GOOS", "GOARCH", "GOARM", "GOFLAGS", "KOCACHE"}, key) || strings.HasPrefix(key, "KO_")
}
