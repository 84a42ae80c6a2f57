package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const sources = "../../deploy/terraform"

// A workspace is a copy of deploy/terraform to run Terraform in: what it writes (.terraform,
// locks, states, plans) never reaches the sources.
type workspace struct {
	dir string   // the root of the repository's copy
	env []string // of Terraform
}

// open copies the sources to dir and finds the provider.
func open(ctx context.Context, dir string) (*workspace, error) {
	if _, err := exec.LookPath("terraform"); err != nil {
		return nil, errors.New("terraform is not installed: deploy/terraform needs 1.11 or newer (https://developer.hashicorp.com/terraform/install)")
	}
	w := &workspace{dir: dir, env: append(os.Environ(), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "TFSCHEMA_QUIET=1")}
	if err := w.copySources(); err != nil {
		return nil, err
	}
	return w, w.findProvider(ctx)
}

func (w *workspace) path(of string) string { return filepath.Join(w.dir, "deploy/terraform", of) }

func (w *workspace) copySources() error {
	err := filepath.WalkDir(sources, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := w.path(strings.TrimPrefix(path, sources))
		switch name := entry.Name(); {
		case name == ".terraform":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(to, 0o700)
		case name == ".terraform.lock.hcl", strings.Contains(name, ".tfstate"):
			return nil
		}
		text, err := os.ReadFile(path) // of a link, what it points to
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	})
	if err != nil {
		return err
	}
	return w.addPackage()
}

// addPackage puts a file where a configuration looks for the ingest function's code, whose
// content a plan needs the checksum of.
func (w *workspace) addPackage() error {
	bin := filepath.Join(w.dir, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return err
	}
	text, err := os.ReadFile("../../bin/ingest-lambda.zip")
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("PK\x05\x06"+strings.Repeat("\x00", 18)), nil // an empty archive
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bin, "ingest-lambda.zip"), text, 0o600)
}

// findProvider makes Terraform use the stand-in of BOURSE_TEST_TFSCHEMA where that is set,
// else what the machine is set up for: the registry.
func (w *workspace) findProvider(ctx context.Context) error {
	standIn := os.Getenv("BOURSE_TEST_TFSCHEMA")
	if standIn == "" {
		return nil
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", `eval "$("$1/install")" && printf %s "$TF_CLI_CONFIG_FILE"`, "bash", standIn)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || len(out) == 0 {
		return fmt.Errorf("the stand-in provider of BOURSE_TEST_TFSCHEMA: %w: %s", err, stderr.String())
	}
	w.env = append(w.env, "TF_CLI_CONFIG_FILE="+string(out))
	return nil
}

// terraform runs one command in a folder of deploy/terraform; its output is in the error.
func (w *workspace) terraform(ctx context.Context, in string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "terraform", args...)
	cmd.Dir, cmd.Env = w.path(in), append(slices.Clone(w.env), "TF_CLI_ARGS=-no-color", "TF_INPUT=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("terraform %s in %s: %w\n%s%s", args[0], in, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

var backend = regexp.MustCompile(`(?m)^\s*backend "`)

// useLocalBackend keeps the state beside the copy, where the sources name a bucket.
func (w *workspace) useLocalBackend(root string) error {
	paths, err := filepath.Glob(w.path(root) + "/*.tf")
	if err != nil {
		return err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if backend.Match(text) {
			return os.WriteFile(filepath.Join(w.path(root), "backend_override.tf"), []byte("terraform {\n  backend \"local\" {}\n}\n"), 0o600)
		}
	}
	return nil
}

// values are the flags that give a root its inputs: its own, else its example's.
func (w *workspace) values(root string) ([]string, error) {
	for _, name := range []string{"terraform.tfvars", "terraform.tfvars.example"} {
		_, err := os.Stat(filepath.Join(w.path(root), name))
		if err == nil {
			return []string{"-var-file=" + name}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil
}
