package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user of the images: nonroot, the number that distroless bases give it too. It is a
// number so that Kubernetes can tell that it is not root.
const (
	uid  = 65532
	user = "65532:65532"
)

// provideBase returns the reference of the base image. Without a wanted one it makes a
// base and puts it where ko looks before it asks a registry: into its cache of images, an
// OCI layout in which it looks up digests. If a release of ko no longer looked there, it
// would ask localhost and fail: what it gets must have the digest.
func provideBase(cache, wanted, certificates string) (string, error) {
	if wanted != "" {
		if _, err := name.NewDigest(wanted); err != nil {
			return "", fmt.Errorf("a base image needs its digest, as in …/static-debian12:nonroot@sha256:…: %w", err)
		}
		if certificates != "" {
			return "", errors.New("certificates can be added to the base that is made here only")
		}
		return wanted, nil
	}
	index, err := makeBase(certificates)
	if err != nil {
		return "", fmt.Errorf("base image: %w", err)
	}
	at, err := layout.Write(filepath.Join(cache, "img"), empty.Index)
	if err != nil {
		return "", err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", err
	}
	for _, m := range manifest.Manifests { // ko looks for each of them at the top level
		image, err := index.Image(m.Digest)
		if err != nil {
			return "", err
		}
		if err := at.AppendImage(image); err != nil {
			return "", err
		}
	}
	if err := at.AppendIndex(index); err != nil {
		return "", err
	}
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	return "localhost/bourse-base@" + digest.String(), nil
}

// makeBase returns what a static binary needs around it, and no more: certificates, a
// user, a home and a folder for temporary files. There is no shell and no program.
func makeBase(certificates string) (v1.ImageIndex, error) {
	content, err := baseLayer(certificates)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		image, err := mutate.Append(image, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Created: v1.Time{Time: time.Unix(0, 0).UTC()}, CreatedBy: "tools/images", Comment: "certificates and a user"},
		})
		if err != nil {
			return nil, err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", arch
		config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
		config.Config = v1.Config{User: user, WorkingDir: "/home/nonroot"}
		if image, err = mutate.ConfigFile(image, config); err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return index, nil
}

// file is a file of the base, or a folder where the name ends with a slash.
type file struct {
	name  string
	mode  int64
	owner int
	text  string
}

func baseLayer(certificates string) ([]byte, error) {
	files := []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, text: "root:x:0:\nnonroot:x:65532:\n"},
		{name: "etc/nsswitch.conf", mode: 0o644, text: "hosts: files dns\n"},
		{name: "etc/passwd", mode: 0o644, text: "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, text: string(roots())},
		{name: "home/", mode: 0o755},
		{name: "home/nonroot/", mode: 0o700, owner: uid},
		{name: "tmp/", mode: 0o1777},
	}
	if certificates != "" {
		text, err := readCertificates(certificates)
		if err != nil {
			return nil, err
		}
		// Go reads every file of this folder beside the one above.
		files = append(files, file{name: "etc/ssl/certs/more.crt", mode: 0o644, text: string(text)})
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		header := &tar.Header{
			Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.text)),
			Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, f.text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// roots returns Mozilla's root certificates, pinned by go.sum. One that is trusted only up
// to a date is left out: a file of certificates cannot say so.
func roots() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return text.Bytes()
}

// readCertificates reads a file of certificates and returns them without what else is
// between them.
func readCertificates(path string) ([]byte, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s has a %s, not only certificates", path, block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		text.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	if text.Len() == 0 {
		return nil, fmt.Errorf("%s has no certificate", path)
	}
	return text.Bytes(), nil
}
