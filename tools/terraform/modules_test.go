package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestModules validates, lints and tests every module and root on its own.
func TestModules(t *testing.T) {
	for _, of := range modules(t) {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			suites, err := filepath.Glob(filepath.Join(sources, of, "tests", "*.tftest.hcl"))
			if err != nil {
				t.Fatal(err)
			}
			if len(suites) == 0 {
				t.Errorf("%s has no tests/*.tftest.hcl", of)
			}
			w := openTest(t)
			lint(t, w, of)
			if _, err := w.terraform(t.Context(), of, "init", "-backend=false", "-input=false"); err != nil {
				t.Fatal(err)
			}
			w.validate(t, of)
			out, err := w.terraform(t.Context(), of, "test")
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Log(lines[len(lines)-1])
		})
	}
}

// validate takes a module by its example: one that is given a second provider cannot be
// validated without somebody to give it.
func (w *workspace) validate(t *testing.T, of string) {
	t.Helper()
	if strings.HasPrefix(of, "modules/") {
		of += "/example"
		if _, err := w.terraform(t.Context(), of, "init", "-backend=false", "-input=false"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.terraform(t.Context(), of, "validate"); err != nil {
		t.Error(err)
	}
}

// TestFormat sees that `terraform fmt` would change nothing.
func TestFormat(t *testing.T) {
	w := openTest(t)
	if _, err := w.terraform(t.Context(), ".", "fmt", "-check", "-recursive", "-diff"); err != nil {
		t.Error(err)
	}
}

// tflint is where Go keeps the linter once it is built.
var tflint = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "tflint").Output()
	return strings.TrimSpace(string(out)), err
})

func lint(t *testing.T, w *workspace, of string) {
	t.Helper()
	path, err := tflint()
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs(w.path(".tflint.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--format=compact", "--config="+config)
	cmd.Dir, cmd.Env = w.path(of), os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("tflint in %s: %v\n%s", of, err, out)
	}
}

// TestLinterLooks lints a module with a variable that nobody uses.
func TestLinterLooks(t *testing.T) {
	path, err := tflint()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte("variable \"unused\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs(filepath.Join(sources, ".tflint.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--format=compact", "--config="+config)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	for _, rule := range []string{"terraform_unused_declarations", "terraform_typed_variables", "terraform_documented_variables"} {
		if err == nil || !strings.Contains(string(out), rule) {
			t.Errorf("tflint (%v) does not report %s:\n%s", err, rule, out)
		}
	}
}
