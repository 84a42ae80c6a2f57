// Command lambda builds the package of the ingest function for AWS Lambda: `make lambda`.
// The same sources give the same bytes anywhere, as long as the Go release is the same,
// so that a plan of Terraform that shows a new hash shows a new program.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	command = "ingest-lambda"
	program = "bootstrap" // what the runtime provided.al2023 starts
	// certificates is where the function finds more authorities: SSL_CERT_DIR names its folder.
	certificates = "certificates/rds.pem"
	// most is how large a package may be: each cold start begins with it.
	most = 12 << 20
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lambda:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("lambda", flag.ContinueOnError)
	fs.SetOutput(stderr)
	root := fs.String("root", "../..", "the checkout")
	certs := fs.String("certs", "", "file of more certificates to trust, as those of RDS")
	if err := fs.Parse(args); err != nil {
		return err
	}
	binary, err := build(ctx, *root)
	if err != nil {
		return err
	}
	files := []file{{program, 0o755, binary}}
	if *certs != "" {
		text, err := readCertificates(*certs)
		if err != nil {
			return err
		}
		files = append(files, file{certificates, 0o644, text})
	}
	content, err := pack(files)
	if err != nil {
		return err
	}
	if len(content) > most {
		return fmt.Errorf("the package has %.1f MiB, and may have %d", mib(content), most>>20)
	}
	path := filepath.Join(*root, "bin", command+".zip")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "bin/%s.zip: %.1f MiB, unpacked %.1f MiB\n", command, mib(content), mib(binary))
	return err
}

// settings decide what the compiler makes, as .ko.yaml does for images.
var settings = []string{
	"GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "CGO_ENABLED=0", "GOEXPERIMENT=", "GOFIPS140=off", "GOFLAGS=-mod=readonly", "GOWORK=off",
}

// build compiles the program.
func build(ctx context.Context, root string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "lambda")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", path, "./cmd/"+command)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), settings...) // the last of a name counts
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(path)
}

// file is a file of the package.
type file struct {
	name string
	mode os.FileMode
	body []byte
}

// pack makes a zip of files, in their order and at a time of its own.
func pack(files []file) ([]byte, error) {
	var content bytes.Buffer
	w := zip.NewWriter(&content)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)} // where a zip's time begins
		header.SetMode(f.mode)
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
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

func mib(content []byte) float64 { return float64(len(content)) / (1 << 20) }
