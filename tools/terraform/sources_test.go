package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// fewVariables is about as many as a reader keeps in mind.
const fewVariables = 15

// providers is what all folders ask for: both major versions, and no one minor version.
var providers = regexp.MustCompile(`^>= 5\.\d+, < 7\.0$`)

// TestSources reads what no plan shows.
func TestSources(t *testing.T) {
	count := 0
	err := filepath.WalkDir(sources, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Name() == ".terraform" {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".tf" {
			return nil
		}
		count++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, finding := range inspect(path, text) {
			t.Error(finding)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", count)
}

// inspect lists what a file must not have: what a plan cannot foresee, what makes several
// plans of one, and code or providers from elsewhere.
func inspect(path string, text []byte) []string {
	body, err := parseHCL(path, text)
	if err != nil {
		return []string{err.Error()}
	}
	var findings []string
	for _, block := range body.Blocks {
		found := func(format string, args ...any) {
			findings = append(findings, fmt.Sprintf("%s:%d: ", path, block.Range().Start.Line)+fmt.Sprintf(format, args...))
		}
		switch block.Type {
		case "resource", "data":
			if !strings.HasPrefix(block.Labels[0], "aws_") {
				found("%s is not of the provider aws", block.Labels[0])
			}
			for _, inner := range block.Body.Blocks {
				if inner.Type == "provisioner" {
					found("a provisioner runs outside the plan")
				}
			}
		case "provider":
			if block.Labels[0] != "aws" {
				found("the provider %s is not aws", block.Labels[0])
			}
		case "module":
			if source := literal(block.Body.Attributes["source"]); !strings.HasPrefix(source, "./") && !strings.HasPrefix(source, "../") {
				found("the module %s comes from elsewhere: %q", block.Labels[0], source)
			}
		case "terraform":
			inspectVersions(block.Body, found)
		}
	}
	return findings
}

func inspectVersions(body *hclsyntax.Body, found func(string, ...any)) {
	if got := literal(body.Attributes["required_version"]); got != ">= 1.11" {
		found("required_version is %q: terraform's native locks of a state in S3 need 1.11", got)
	}
	for _, inner := range body.Blocks {
		if inner.Type != "required_providers" {
			continue
		}
		for name, attribute := range inner.Body.Attributes {
			value, _ := attribute.Expr.(*hclsyntax.ObjectConsExpr)
			given := map[string]string{}
			if value != nil {
				for _, item := range value.Items {
					given[hcl.ExprAsKeyword(item.KeyExpr)] = constant(item.ValueExpr)
				}
			}
			if name != "aws" || given["source"] != "hashicorp/aws" || !providers.MatchString(given["version"]) {
				found("requires the provider %s %s %q: want hashicorp/aws as %s", name, given["source"], given["version"], providers)
			}
		}
	}
}

func parseHCL(path string, text []byte) (*hclsyntax.Body, error) {
	file, problems := hclparse.NewParser().ParseHCL(text, path)
	if problems.HasErrors() {
		return nil, problems
	}
	return file.Body.(*hclsyntax.Body), nil
}

func literal(attribute *hclsyntax.Attribute) string {
	if attribute == nil {
		return ""
	}
	return constant(attribute.Expr)
}

func constant(e hclsyntax.Expression) string {
	value, problems := e.Value(nil)
	if problems.HasErrors() || !value.Type().Equals(cty.String) {
		return ""
	}
	return value.AsString()
}

func TestInspect(t *testing.T) {
	const versions = "terraform {\n  required_version = \">= 1.11\"\n  required_providers {\n    %s\n  }\n}\n"
	aws := `aws = { source = "hashicorp/aws", version = ">= 5.46, < 7.0" }`
	for text, want := range map[string]string{
		fmt.Sprintf(versions, aws):                                                            "",
		`resource "aws_vpc" "a" {}`:                                                           "",
		`module "a" { source = "../../modules/network" }`:                                     "",
		`resource "null_resource" "a" {}`:                                                     "null_resource is not of the provider aws",
		`resource "terraform_data" "a" {}`:                                                    "terraform_data is not of the provider aws",
		`resource "time_sleep" "a" {}`:                                                        "time_sleep is not of the provider aws",
		`data "external" "a" {}`:                                                              "external is not of the provider aws",
		"resource \"aws_vpc\" \"a\" {\n  provisioner \"local-exec\" {}\n}":                    "a provisioner runs outside the plan",
		`provider "kubernetes" {}`:                                                            "the provider kubernetes is not aws",
		`module "a" { source = "terraform-aws-modules/vpc/aws" }`:                             "comes from elsewhere",
		`module "a" { source = "git::https://example.com/a.git" }`:                            "comes from elsewhere",
		`terraform { required_version = ">= 1.5" }`:                                           "need 1.11",
		fmt.Sprintf(versions, strings.Replace(aws, "5.46", "6.0", 1)):                         `">= 6.0, < 7.0"`,
		fmt.Sprintf(versions, `random = { source = "hashicorp/random", version = "~> 3.0" }`): "requires the provider random",
	} {
		got := strings.Join(inspect("a.tf", []byte(text)), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s\nfindings %q, want %q", text, got, want)
		}
	}
}

// TestNoTarget: a command that needs -target means two plans.
func TestNoTarget(t *testing.T) {
	paths := []string{"../../Makefile"}
	for _, pattern := range []string{"README.md", "*/README.md", "*/*/README.md"} {
		found, err := filepath.Glob(filepath.Join(sources, pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), " -target") {
			t.Errorf("%s has a command with -target", path)
		}
	}
}

// TestModulesAreComplete: each is small enough to read, is explained, and both environments
// use it.
func TestModulesAreComplete(t *testing.T) {
	uses := map[string][]string{}
	for _, env := range folders(t, "envs/*") {
		for _, block := range blocksOf(t, env, "module") {
			name := filepath.Base(literal(block.Body.Attributes["source"]))
			uses[name] = append(uses[name], env)
		}
	}
	for _, module := range folders(t, "modules/*") {
		if n := len(blocksOf(t, module, "variable")); n > fewVariables {
			t.Errorf("%s has %d variables: group what belongs together", module, n)
		}
		if got := uses[filepath.Base(module)]; !slices.Equal(got, []string{dev, prod}) {
			t.Errorf("%s is used in %v, want both environments", module, got)
		}
		example, err := os.ReadFile(filepath.Join(sources, module, "example/main.tf"))
		if err != nil {
			t.Error(err)
			continue
		}
		readme, err := os.ReadFile(filepath.Join(sources, module, "README.md"))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(readme), string(example)) {
			t.Errorf("%s/README.md does not show example/main.tf as it is", module)
		}
	}
}

// TestEnvironmentsDifferInValues: what is built is the same text, so that dev tries out
// what prod becomes.
func TestEnvironmentsDifferInValues(t *testing.T) {
	read := func(env string) map[string]string {
		paths, err := filepath.Glob(filepath.Join(sources, env, "*.tf"))
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(path)] = string(text)
		}
		return files
	}
	one, other := read(dev), read(prod)
	if len(one) < 2 || !slices.Equal(slices.Sorted(maps.Keys(one)), slices.Sorted(maps.Keys(other))) {
		t.Fatalf("dev has %v, prod %v", slices.Sorted(maps.Keys(one)), slices.Sorted(maps.Keys(other)))
	}
	for name := range one {
		if name != "environment.tf" && one[name] != other[name] {
			t.Errorf("%s differs: values belong in environment.tf", name)
		}
	}
	for _, env := range []string{dev, prod} {
		body, err := parseHCL("environment.tf", []byte(read(env)["environment.tf"]))
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range body.Blocks {
			if block.Type != "locals" {
				t.Errorf("%s/environment.tf has a %s: it is for values", env, block.Type)
			}
		}
	}
}

func blocksOf(t *testing.T, folder, kind string) []*hclsyntax.Block {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(sources, folder, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	var found []*hclsyntax.Block
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := parseHCL(path, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range body.Blocks {
			if block.Type == kind {
				found = append(found, block)
			}
		}
	}
	return found
}
