package main

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPackage builds the package from two copies of the sources, in other folders, with
// another zone, umask and environment, at another time.
func TestPackage(t *testing.T) {
	certs := filepath.Join(t.TempDir(), "rds.pem")
	authority, _ := authorityAndServer(t)
	// What AWS hands out has a name before each certificate.
	if err := os.WriteFile(certs, append([]byte("Amazon RDS\n"), authority...), 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "elsewhere", "longer", "b")
	copySources(t, first)
	copySources(t, second)
	a := packed(t, first, "-certs", certs)
	began := time.Now()
	for name, value := range map[string]string{"TZ": "Asia/Kolkata", "GOFLAGS": "-v", "GOARCH": "amd64", "GOARM64": "v9.0", "CGO_ENABLED": "1"} {
		t.Setenv(name, value)
	}
	mask := syscall.Umask(0o077)
	b := packed(t, second, "-certs", certs)
	syscall.Umask(mask)
	if time.Since(began) < 2*time.Second { // which is what a zip can tell
		t.Error("both builds were at once: a time in the package would not be noticed")
	}
	if !bytes.Equal(a, b) {
		t.Error("two builds differ")
	}
	t.Logf("%.2f MiB", mib(a))

	files := unpack(t, a)
	if len(files) != 2 || string(files[certificates]) != string(authority) {
		t.Errorf("it has %d files", len(files))
	}
	exe, err := elf.NewFile(bytes.NewReader(files[program]))
	if err != nil || exe.Machine != elf.EM_AARCH64 || exe.Section(".symtab") != nil {
		t.Errorf("the program is for %+v, %v", exe, err)
	}
	if libraries, err := exe.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the program needs %v, %v", libraries, err)
	}
	if bytes.Contains(files[program], []byte(first)) {
		t.Error("the program has the path of its sources")
	}
}

func packed(t *testing.T, root string, args ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"-root", root}, args...), &out, &out); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "bin", "ingest-lambda.zip"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func copySources(t *testing.T, to string) {
	t.Helper()
	for _, dir := range []string{"cmd", "internal"} {
		if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join("../..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// unpack returns the files of a package, which Lambda must be able to read and run.
func unpack(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		want := os.FileMode(0o644)
		if f.Name == program {
			want = 0o755
		}
		if f.Mode() != want {
			t.Errorf("%s has mode %v", f.Name, f.Mode())
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		in.Close()
	}
	return files
}

// TestCertificates: a Go program whose SSL_CERT_DIR is the folder of the package trusts
// what the system trusts, and what lies there.
func TestCertificates(t *testing.T) {
	if address := os.Getenv("TEST_CONNECT"); address != "" {
		_, err := (&tls.Dialer{}).DialContext(t.Context(), "tcp", address)
		fmt.Fprintln(os.Stdout, "connected:", err)
		return
	}
	terraform, err := os.ReadFile("../../deploy/terraform/modules/ingest/main.tf")
	if err != nil || !strings.Contains(string(terraform), `"/var/task/`+filepath.Dir(certificates)+`"`) {
		t.Errorf("Terraform looks for the certificates elsewhere: %v", err)
	}
	ours, ourServer := authorityAndServer(t)
	system, systemServer := authorityAndServer(t)
	content, err := pack([]file{{certificates, 0o644, ours}})
	if err != nil {
		t.Fatal(err)
	}
	task := t.TempDir()
	for name, body := range unpack(t, content) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(task, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(task, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bundle := filepath.Join(t.TempDir(), "ca-bundle.crt")
	if err := os.WriteFile(bundle, system, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		server string
		dir    string
		ok     bool
	}{
		{ourServer, filepath.Dir(filepath.Join(task, certificates)), true},
		{systemServer, filepath.Dir(filepath.Join(task, certificates)), true},
		{ourServer, t.TempDir(), false},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCertificates$")
		cmd.Env = append(os.Environ(), "TEST_CONNECT="+c.server, "SSL_CERT_FILE="+bundle, "SSL_CERT_DIR="+c.dir)
		out, err := cmd.Output()
		if err != nil || strings.Contains(string(out), "connected: <nil>") != c.ok {
			t.Errorf("%s with %s: %v, %s", c.server, c.dir, err, out)
		}
	}
}

// authorityAndServer makes an authority of its own and a server with a certificate of it.
func authorityAndServer(t *testing.T) (authority []byte, address string) {
	t.Helper()
	issue := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der, key
	}
	until := time.Now().Add(time.Hour)
	root := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: until, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, rootKey := issue(root, nil, nil)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	leafDER, leafKey := issue(leaf, root, rootKey)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // who does not trust it says so
	server.StartTLS()
	t.Cleanup(server.Close)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), server.Listener.Addr().String()
}

// TestRefused: what is no package for Lambda is not written.
func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing in it":     "",
		"a key":             string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("k")})),
		"not a certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("c")})),
	} {
		path := filepath.Join(t.TempDir(), "more.pem")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readCertificates(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readCertificates("nowhere.pem"); err == nil {
		t.Error("no file, no error")
	}
}
