package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// versions are the real providers at hand: BOURSE_TEST_PROVIDERS is a folder as Terraform's
// filesystem mirrors are, registry.terraform.io/hashicorp/aws/VERSION/OS_ARCH.
func versions(t *testing.T) []string {
	t.Helper()
	mirror := os.Getenv("BOURSE_TEST_PROVIDERS")
	if mirror == "" {
		t.Skip("BOURSE_TEST_PROVIDERS is not set: there is no real provider for this test")
	}
	found, err := filepath.Glob(filepath.Join(mirror, providerFolder, "*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s in %s: %v", providerFolder, mirror, err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found
}

const providerFolder = "registry.terraform.io/hashicorp/aws"

// useVersion makes Terraform use one of the versions of the mirror.
func (w *workspace) useVersion(t *testing.T, version string) {
	t.Helper()
	from, err := filepath.Abs(filepath.Join(os.Getenv("BOURSE_TEST_PROVIDERS"), providerFolder, version))
	if err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	to := filepath.Join(mirror, providerFolder, version)
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	platforms, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range platforms { // Terraform follows links at this depth only
		if err := os.Symlink(filepath.Join(from, platform.Name()), filepath.Join(to, platform.Name())); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(mirror, "terraformrc")
	text := fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "TF_CLI_CONFIG_FILE="+config)
}

// TestRealProviders validates the roots, and with them all modules, with each real provider
// at hand, and compares README.md's list of newer attributes with what the provider knows.
func TestRealProviders(t *testing.T) {
	for _, version := range versions(t) {
		t.Run(version, func(t *testing.T) {
			w := openTest(t)
			w.useVersion(t, version)
			for _, root := range folders(t, "bootstrap", "envs/*") {
				if _, err := w.terraform(t.Context(), root, "init", "-backend=false", "-input=false"); err != nil {
					t.Fatal(err)
				}
				if _, err := w.terraform(t.Context(), root, "validate"); err != nil {
					t.Error(err)
				}
			}
			schema, err := w.terraform(t.Context(), "bootstrap", "providers", "schema", "-json")
			if err != nil {
				t.Fatal(err)
			}
			known, err := known(schema)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range unlisted(used(t), known, listed(t), version) {
				t.Errorf("provider %s has no %s, and README.md does not list it", version, name)
			}
		})
	}
}

// TestApplyAgainstDouble makes bootstrap and dev in an AWS in memory with a real provider,
// destroys them, and asks what is left.
func TestApplyAgainstDouble(t *testing.T) {
	all := versions(t)
	if os.Getenv("BOURSE_TEST_AWS") == "" {
		t.Skip("BOURSE_TEST_AWS is not set: there is no double of AWS for this test")
	}
	for _, version := range all {
		for _, root := range []string{"bootstrap", dev} {
			t.Run(version+"/"+root, func(t *testing.T) {
				w := openTest(t)
				w.useVersion(t, version)
				address := startDouble(t)
				w.env = append(w.env, "AWS_ENDPOINT_URL="+address, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
				w.suitDouble(t, root)
				before := holdings(t, address)
				if err := w.prepare(t.Context(), root); err != nil {
					t.Fatal(err)
				}
				if _, err := w.apply(t.Context(), root); err != nil {
					t.Fatal(err)
				}
				destroy(t, w, root)
				for kind, count := range holdings(t, address) {
					if count > before[kind] && passing[kind] == "" {
						t.Errorf("%d of %s are left", count-before[kind], kind)
					}
				}
			})
		}
	}
}

// passing is what the double keeps of what has been deleted, or of what was asked.
var passing = map[string]string{
	"kms.Key": "a key is deleted when its window is over",
}

// forgets is what the double does not answer again, for which the provider waits in vain.
var forgets = regexp.MustCompile(`(?m)^\s*newer_noncurrent_versions\s*=.*\n`)

// suitDouble changes a copy for the double, which has one name for all buckets.
func (w *workspace) suitDouble(t *testing.T, root string) {
	t.Helper()
	const block = "provider \"aws\" {\n"
	sent := false
	for _, folder := range append(folders(t, "modules/*"), root) {
		paths, err := filepath.Glob(filepath.Join(w.path(folder), "*.tf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sent = sent || strings.Contains(string(text), block)
			suited := strings.ReplaceAll(forgets.ReplaceAllString(string(text), ""), block, block+"  s3_use_path_style = true\n")
			if err := os.WriteFile(path, []byte(suited), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !sent {
		t.Fatalf("%s has no provider to send to the double", root)
	}
}

func startDouble(t *testing.T) string {
	t.Helper()
	double := exec.CommandContext(t.Context(), "python3", filepath.Join(os.Getenv("BOURSE_TEST_AWS"), "server.py"), "--port", "0")
	out, err := double.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := double.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = double.Wait() }) // the context of the test kills it
	line, err := bufio.NewReader(out).ReadString('\n')
	address := regexp.MustCompile(`http://[^\s/]+`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("the double of AWS says %q: %v", line, err)
	}
	return address
}

// holdings counts what the double holds, as s3.FakeBucket.
func holdings(t *testing.T, address string) map[string]int {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, address+"/moto-api/data.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var held map[string]map[string][]json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&held); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for service, models := range held {
		for model, instances := range models {
			counts[service+"."+model] = len(instances)
		}
	}
	return counts
}
