package main

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// nameAnnotations name an image within an archive: the first for containerd, the second
// for everyone else.
func nameAnnotations(ref name.Tag) map[string]string {
	return map[string]string{
		"io.containerd.image.name":          ref.Name(),
		"org.opencontainers.image.ref.name": ref.Name(),
	}
}

// archive writes an archive for each architecture. It has the manifest that a registry
// has, so the digest of an image is the same on a cluster that was given a file.
func (b *builder) archive(image built) error {
	manifest, err := image.index.IndexManifest()
	if err != nil {
		return err
	}
	for _, m := range manifest.Manifests {
		one, err := image.index.Image(m.Digest)
		if err != nil {
			return err
		}
		dir := filepath.Join(b.cache, "archive")
		index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
			Add:        one,
			Descriptor: v1.Descriptor{Platform: m.Platform, Annotations: nameAnnotations(image.ref)},
		})
		if _, err := layout.Write(dir, index); err != nil {
			return err
		}
		if err := writeTar(filepath.Join(b.out, image.name+"-"+m.Platform.Architecture+".tar"), dir); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// writeTar packs the files of a folder, in the order of their names and without their
// times and owners.
func writeTar(path, dir string) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	w := tar.NewWriter(out)
	err = filepath.WalkDir(dir, func(at string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		in, err := os.Open(at)
		if err != nil {
			return err
		}
		defer in.Close()
		info, err := in.Stat()
		if err != nil {
			return err
		}
		header := &tar.Header{
			Name: filepath.ToSlash(strings.TrimPrefix(at, dir+string(filepath.Separator))),
			Mode: 0o644, Size: info.Size(), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = io.Copy(w, in)
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}

// report prints what was built: per architecture the bytes that a node fetches and those
// that it unpacks.
func report(w io.Writer, all []built, took time.Duration) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, image := range all {
		manifest, err := image.index.IndexManifest()
		if err != nil {
			return err
		}
		digest, err := image.index.Digest()
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\n", image.ref, digest)
		slices.SortFunc(manifest.Manifests, func(a, b v1.Descriptor) int { return strings.Compare(a.Platform.Architecture, b.Platform.Architecture) })
		for _, m := range manifest.Manifests {
			one, err := image.index.Image(m.Digest)
			if err != nil {
				return err
			}
			packed, unpacked, err := sizes(one)
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "  %s\t%s\t%.1f MiB, unpacked %.1f MiB\n", m.Platform, m.Digest, mib(packed), mib(unpacked))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d images in %.0f s\n", len(all), took.Seconds())
	return err
}

func sizes(image v1.Image) (packed, unpacked int64, err error) {
	layers, err := image.Layers()
	if err != nil {
		return 0, 0, err
	}
	for _, layer := range layers {
		size, err := layer.Size()
		if err != nil {
			return 0, 0, err
		}
		packed += size
		content, err := layer.Uncompressed()
		if err != nil {
			return 0, 0, err
		}
		n, err := io.Copy(io.Discard, content)
		if e := content.Close(); err == nil {
			err = e
		}
		if err != nil {
			return 0, 0, err
		}
		unpacked += n
	}
	return packed, unpacked, nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
