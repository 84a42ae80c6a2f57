package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var cold = flag.Bool("cold", false, "let the second build compile everything again, without Go's cache")

// The commit of the checkouts that the tests make.
const commitTime = "2026-01-02T03:04:05+05:30"

// TestImages builds every image twice: from checkouts of the same commit in other folders,
// with other times of files, another zone, umask and environment, at another time, and
// once with changes that are none of the images'.
func TestImages(t *testing.T) {
	command := compile(t)
	here := t.TempDir()
	first, second := filepath.Join(here, "a"), filepath.Join(here, "elsewhere", "longer", "b")
	checkout(t, first)
	clone(t, first, second)
	for file, text := range map[string]string{"README.md": "changed", "docs/new.md": "new", "bin/old": "old"} {
		write(t, filepath.Join(second, file), text)
	}
	age(t, second)

	execute(t, command, first, nil)
	between := time.Now()
	mask := syscall.Umask(0o077)
	env := []string{"TZ=Asia/Kolkata", "GOFLAGS=-v", "GOAMD64=v3", "SOURCE_DATE_EPOCH=1", "KO_DOCKER_REPO=example.com/x"}
	if *cold {
		env = append(env, "GOCACHE="+t.TempDir())
	}
	execute(t, command, second, env)
	syscall.Umask(mask)
	if time.Since(between) < time.Second {
		t.Error("both builds were within a second: a time in an image would not be noticed")
	}

	t.Run("Reproducible", func(t *testing.T) { reproducible(t, first, second) })
	for _, n := range images {
		for _, arch := range []string{"amd64", "arm64"} {
			t.Run(n+"-"+arch, func(t *testing.T) { inspect(t, first, n, arch) })
		}
	}
}

// reproducible compares everything that was written, byte by byte.
func reproducible(t *testing.T, first, second string) {
	a, b := tree(t, filepath.Join(first, "bin/images")), tree(t, filepath.Join(second, "bin/images"))
	for file, content := range a {
		if !bytes.Equal(content, b[file]) {
			t.Errorf("%s differs", file)
		}
	}
	for file := range b {
		if _, ok := a[file]; !ok {
			t.Errorf("only the second build has %s", file)
		}
	}
	for _, file := range []string{"oci/index.json", "refs", "sbom/api-linux-amd64.spdx.json", "sbom/api-index.spdx.json", "api-arm64.tar"} {
		if len(a[file]) == 0 {
			t.Errorf("%s was not written", file)
		}
	}
}

// inspect looks at an archive as a cluster does that loads it.
func inspect(t *testing.T, root, command, arch string) {
	archive := filepath.Join(root, "bin/images", command+"-"+arch+".tar")
	image, names := load(t, archive)
	if err := validate.Image(image); err != nil {
		t.Fatal(err)
	}
	commit, err := git(t.Context(), root, "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	ref := "localhost/bourse-" + command + ":" + commit[:12]
	if names["io.containerd.image.name"] != ref {
		t.Errorf("the archive names its image %v, not %s", names, ref)
	}

	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	program := "/ko-app/" + command
	if config.OS != "linux" || config.Architecture != arch {
		t.Errorf("the image is for %s/%s", config.OS, config.Architecture)
	}
	if config.Config.User != "65532:65532" {
		t.Errorf("runs as %q", config.Config.User)
	}
	if !slices.Equal(config.Config.Entrypoint, []string{program}) || config.Config.Cmd != nil {
		t.Errorf("starts %q %q", config.Config.Entrypoint, config.Config.Cmd)
	}
	if made := config.Created.UTC().Format(time.RFC3339); made != "2026-01-01T21:34:05Z" {
		t.Errorf("was made at %s, not at the time of the commit", made)
	}
	want := map[string]string{
		"org.opencontainers.image.title":    "bourse-" + command,
		"org.opencontainers.image.revision": commit,
		"org.opencontainers.image.version":  "0.0.0-20260101213405-" + commit[:12],
	}
	if !reflect.DeepEqual(config.Config.Labels, want) {
		t.Errorf("labels %v, not %v", config.Config.Labels, want)
	}

	files := contents(t, image)
	var found []string
	for name, f := range files {
		found = append(found, fmt.Sprintf("%s %s %d", f.mode, name, f.owner))
	}
	slices.Sort(found)
	wanted := []string{
		"-r-xr-xr-x " + program[1:] + " 0",
		"-rw-r--r-- etc/group 0", "-rw-r--r-- etc/nsswitch.conf 0", "-rw-r--r-- etc/passwd 0", "-rw-r--r-- etc/ssl/certs/ca-certificates.crt 0",
		"dr-xr-xr-x ko-app 0", "dr-xr-xr-x var 0", "dr-xr-xr-x var/run 0", "dr-xr-xr-x var/run/ko 0",
		"drwx------ home/nonroot 65532",
		"drwxr-xr-x etc 0", "drwxr-xr-x etc/ssl 0", "drwxr-xr-x etc/ssl/certs 0", "drwxr-xr-x home 0",
		"dtrwxrwxrwx tmp 0",
	}
	if !slices.Equal(found, wanted) { // no shell, nothing else that runs
		t.Errorf("the image has\n%s\nnot\n%s", strings.Join(found, "\n"), strings.Join(wanted, "\n"))
	}
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"].content) || len(pool.Subjects()) < 100 { //nolint:staticcheck // the pool is not the system's
		t.Error("there are hardly any root certificates")
	}
	binary(t, files[program[1:]].content, command, arch)
}

// binary checks that a program is static and for its architecture, and runs it where that
// is the architecture of this machine.
func binary(t *testing.T, content []byte, command, arch string) {
	program, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; program.Machine != machine {
		t.Errorf("the program is for %s", program.Machine)
	}
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: it has a %s", p.Type)
		}
	}
	// Only these read the clock of an exchange; the zone is in tzdata alone.
	if slices.Contains([]string{"api", "ingest", "bourse"}, command) && !bytes.Contains(content, []byte("Pacific/Kiritimati")) {
		t.Error("the program has no time zones within")
	}
	if command == "web" && !bytes.Contains(content, manifest(t)) {
		t.Error("the program lacks the web assets of the checkout")
	}
	if arch != "amd64" {
		return
	}
	file := filepath.Join(t.TempDir(), command)
	if err := os.WriteFile(file, content, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), file, "-help")
	cmd.Env = []string{} // as bare as a container's
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("-log-level")) {
		t.Errorf("%s -help: %v\n%s", command, err, out)
	}
}

// TestPush builds from a base that a registry has, and pushes to it.
func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	base, err := makeBase("")
	if err != nil {
		t.Fatal(err)
	}
	base = mutate.Annotations(base, map[string]string{"made": "by the test"}).(v1.ImageIndex) // not the one that is made here
	digest, err := base.Digest()
	if err != nil {
		t.Fatal(err)
	}
	baseRef, err := name.NewDigest(host + "/static@" + digest.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(baseRef, base); err != nil {
		t.Fatal(err)
	}

	root := filepath.Join(t.TempDir(), "a")
	checkout(t, root)
	execute(t, compile(t), root, nil, "-push", "-repo="+host+"/team/bourse", "-tag=v1.2.3", "-base="+baseRef.String(), "-source=https://example.com/bourse", "migrate")
	refs, err := os.ReadFile(filepath.Join(root, "bin/images/refs"))
	if err != nil {
		t.Fatal(err)
	}
	tag, wanted, _ := strings.Cut(strings.TrimSpace(string(refs)), "@")
	if tag != host+"/team/bourse-migrate:v1.2.3" {
		t.Errorf("named %s", tag)
	}
	ref, err := name.ParseReference(tag)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	pushed, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if pushed.String() != wanted {
		t.Errorf("the registry has %s, refs says %s", pushed, wanted)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if base := m.Annotations["org.opencontainers.image.base.name"]; base != baseRef.Name() {
		t.Errorf("the base is %s, not %s", base, baseRef)
	}
	var platforms []string
	for _, d := range m.Manifests {
		platforms = append(platforms, d.Platform.String())
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.Labels["org.opencontainers.image.source"] != "https://example.com/bourse" {
			t.Errorf("labels %v", config.Config.Labels)
		}
		if _, err := remote.Head(ref.Context().Tag(strings.Replace(d.Digest.String(), ":", "-", 1) + ".sbom")); err != nil {
			t.Errorf("the bill of materials of %s: %v", d.Platform, err)
		}
	}
	if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("the registry has %v", platforms)
	}
}

// TestStamp reads the stamp of checkouts in several states.
func TestStamp(t *testing.T) {
	root := t.TempDir()
	if s, err := readStamp(t.Context(), root); err != nil || s != (stamp{tag: "dev"}) {
		t.Errorf("no checkout: %+v, %v", s, err)
	}
	write(t, filepath.Join(root, "cmd/api/main.go"), "package main")
	write(t, filepath.Join(root, "README.md"), "bourse")
	commit(t, root)
	clean, err := readStamp(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if want := (stamp{clean.revision[:12], clean.revision, "0.0.0-20260101213405-" + clean.revision[:12], 1767303245}); clean != want {
		t.Errorf("clean: %+v, not %+v", clean, want)
	}
	write(t, filepath.Join(root, "README.md"), "changed")
	if s, err := readStamp(t.Context(), root); err != nil || s != clean {
		t.Errorf("a changed document: %+v, %v", s, err)
	}
	for _, file := range []string{"cmd/api/new.go", "cmd/api/main.go"} {
		write(t, filepath.Join(root, file), "package main // changed")
		s, err := readStamp(t.Context(), root)
		if err != nil || s.tag != "dev" || s.revision != clean.revision+"-dirty" || s.version != clean.version+"-dirty" || s.epoch != clean.epoch {
			t.Errorf("%s: %+v, %v", file, s, err)
		}
		if err := os.Remove(filepath.Join(root, "cmd/api/new.go")); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// TestRefused gives the command what it must not take.
func TestRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	write(t, empty, "no certificate")
	key := filepath.Join(t.TempDir(), "key.pem")
	write(t, key, string(roots())+"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	for want, args := range map[string][]string{
		"needs its digest":          {"-base=example.com/static:nonroot"},
		"made here only":            {"-base=example.com/static@sha256:" + strings.Repeat("0", 64), "-certs=" + empty},
		"has no certificate":        {"-certs=" + empty},
		"has a PRIVATE KEY":         {"-certs=" + key},
		`no image "apis"`:           {"apis"},
		"registry to be explicitly": {"-repo=bourse"},
	} {
		err := run(t.Context(), append([]string{"-root=" + t.TempDir()}, args...), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, not %s", args, err, want)
		}
	}
}

// TestMoreCertificates adds certificates to the base.
func TestMoreCertificates(t *testing.T) {
	bundle := filepath.Join(t.TempDir(), "more.pem")
	write(t, bundle, "# said beside it\n"+string(roots()))
	index, err := makeBase(bundle)
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if more := contents(t, image)["etc/ssl/certs/more.crt"].content; !bytes.Equal(more, roots()) {
		t.Errorf("the image has %d bytes of them", len(more))
	}
}

// compile builds this command as a program, to run it in other environments.
func compile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "images")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func execute(t *testing.T, command, root string, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, append([]string{"-root=" + root}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("\n%s", out)
}

// checkout copies what images are made of into a new repository with one commit.
func checkout(t *testing.T, root string) {
	t.Helper()
	list, err := git(t.Context(), "../..", append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, append(inputs, ".gitignore")...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Split(strings.TrimRight(list, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", file))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, file), string(text))
	}
	commit(t, root)
	copyAssets(t, "../..", root)
}

func clone(t *testing.T, from, to string) {
	t.Helper()
	if _, err := git(t.Context(), from, "clone", "--quiet", from, to); err != nil {
		t.Fatal(err)
	}
	copyAssets(t, from, to)
}

// copyAssets copies what `make web` built, which is not committed.
func copyAssets(t *testing.T, from, to string) {
	t.Helper()
	for file, text := range tree(t, filepath.Join(from, "internal/web/dist")) {
		write(t, filepath.Join(to, "internal/web/dist", file), string(text))
	}
}

func manifest(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../internal/web/dist/manifest.json")
	if err != nil {
		t.Fatalf("%v: make web comes first", err)
	}
	return text
}

func commit(t *testing.T, root string) {
	t.Helper()
	t.Setenv("GIT_AUTHOR_DATE", commitTime)
	t.Setenv("GIT_COMMITTER_DATE", commitTime)
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "--all"},
		{"-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=test"},
	} {
		if _, err := git(t.Context(), root, args...); err != nil {
			t.Fatal(err)
		}
	}
}

// age gives all files of a checkout a time of years ago.
func age(t *testing.T, root string) {
	t.Helper()
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	err := filepath.WalkDir(root, func(at string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(at, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree reads all files of a folder.
func tree(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(at string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		files[rel], err = os.ReadFile(at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// load reads the one image of an archive and its names.
func load(t *testing.T, archive string) (v1.Image, map[string]string) {
	t.Helper()
	in, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	dir := t.TempDir()
	for r := tar.NewReader(in); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.FromSlash(path.Clean("/"+header.Name))), string(text))
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifests) != 1 {
		t.Fatalf("the archive has %d images", len(m.Manifests))
	}
	image, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image, m.Manifests[0].Annotations
}

type packed struct {
	mode    os.FileMode
	owner   int
	content []byte
}

// contents reads the files of all layers.
func contents(t *testing.T, image v1.Image) map[string]packed {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]packed{}
	for _, layer := range layers {
		in, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(in); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			files[strings.Trim(header.Name, "/")] = packed{header.FileInfo().Mode(), header.Uid, content}
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
