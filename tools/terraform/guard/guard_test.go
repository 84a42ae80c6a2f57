package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const deploy = "../../../deploy"

func date(t *testing.T, day string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestEdges looks from the days before and after which the answer changes.
func TestEdges(t *testing.T) {
	ending := row{Component: "a", Version: "1", Ends: "2027-03-27", Source: "https://example.com", Looked: "2026-11-23", Next: "Raise it."}
	open := ending
	open.Ends = noEnding
	never := ending
	never.Ends = "soon"
	later := ending
	later.Looked = "2027-11-23"
	for name, c := range map[string]struct {
		row   row
		today string
		want  string // part of the finding; empty: none
	}{
		"61 days":             {ending, "2027-01-25", ""},
		"60 days":             {ending, "2027-01-26", "has 60 days until 2027-03-27, the end of its support (https://example.com). Raise it."},
		"over":                {ending, "2027-04-01", "has -5 days until"},
		"looked half a year":  {open, "2027-05-22", ""},
		"looked too long ago": {open, "2027-05-23", "was looked up 181 days ago"},
		"no date":             {never, "2026-11-23", `ends "soon"`},
		"not looked yet":      {later, "2026-11-23", "no day until today"},
	} {
		findings := table{c.row}.check([]pin{{"a", "1", "a.tf"}}, date(t, c.today))
		switch {
		case c.want == "" && len(findings) > 0:
			t.Errorf("%s: %v", name, findings)
		case c.want != "" && (len(findings) != 1 || !strings.Contains(findings[0].Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, findings, c.want)
		}
	}
}

// looked is the newest day in the table: the tests below must not fail as time goes by.
func looked(t *testing.T) string {
	t.Helper()
	rows, err := readTable(deploy + "/terraform/support.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return slices.MaxFunc(rows, func(one, other row) int { return strings.Compare(one.Looked, other.Looked) }).Looked
}

// TestTable sees that every pin has its row and every row its pin, and that nothing was near
// its end when somebody looked last.
func TestTable(t *testing.T) {
	if err := run([]string{"-deploy", deploy, "-date", looked(t)}, t.Output()); err != nil {
		t.Error(err)
	}
}

// TestChangedPins changes each pin in a copy, which guard must notice.
func TestChangedPins(t *testing.T) {
	const (
		cluster   = "terraform/modules/cluster/variables.tf"
		addons    = "terraform/modules/cluster/addons.tf"
		ingest    = "terraform/modules/ingest/main.tf"
		prod      = "terraform/envs/prod/main.tf"
		releases  = "platform/releases.env"
		inCluster = `(source\s+= "../../modules/cluster")`
	)
	for name, c := range map[string]struct{ file, old, new, want string }{
		"kubernetes":  {cluster, `(variable "kubernetes_version" \{(?s:.*?)default\s+= )"[^"]+"`, `${1}"1.2"`, "kubernetes 1.2 of"},
		"an add-on":   {addons, `(coredns\s+= )"[^"]+"`, `${1}"v9.9.9-eksbuild.1"`, "addon/coredns v9.9.9-eksbuild.1 of"},
		"a new one":   {addons, `(addon_versions = \{)`, "${1}\n    adot = \"v0.1.0-eksbuild.1\"", "addon/adot v0.1.0-eksbuild.1 of"},
		"postgres":    {"terraform/modules/database/variables.tf", `(variable "engine_version" \{(?s:.*?)default\s+= )"[^"]+"`, `${1}"9.6"`, "postgres 9.6 of"},
		"lambda":      {ingest, `(runtime\s+= )"[^"]+"`, `${1}"provided.al2"`, "lambda-runtime provided.al2 of"},
		"a moved pin": {ingest, `runtime `, `runtimes `, "no function with a runtime"},
		"one module":  {"terraform/modules/edge/versions.tf", `< [0-9.]+"`, `< 99.0"`, "hashicorp/aws < 99.0 of terraform/modules/edge/versions.tf"},
		"no bound":    {"terraform/bootstrap/versions.tf", `, < [0-9.]+"`, `"`, "hashicorp/aws has no upper bound"},
		"an env":      {prod, inCluster, "${1}\n  kubernetes_version = \"1.2\"", "kubernetes 1.2 of " + prod},
		"env's value": {prod, inCluster, "${1}\n  kubernetes_version = var.kubernetes", "a version is not a constant"},
		"env's addon": {prod, inCluster, "${1}\n  addons = { coredns = \"v1.2.3-eksbuild.1\" }", "addon/coredns v1.2.3-eksbuild.1 of " + prod},
		"a release":   {releases, `(LOAD_BALANCER_CONTROLLER=).*`, `${1}9.9.9`, "helm/aws-load-balancer-controller 9.9.9 of"},
		"unknown":     {releases, `(LOAD_BALANCER_CONTROLLER=)`, "KEDA=2.0.0\n${1}", "KEDA is a release"},
		"the image":   {"platform/cluster-autoscaler.yaml", `tag: v[0-9.]+`, `tag: v9.9.9`, "image/cluster-autoscaler v9.9.9 of"},
		"the table":   {"terraform/support.yaml", `(component: lambda-runtime\n  version: ).*`, `${1}provided.al2`, "lambda-runtime provided.al2 stands in support.yaml and is pinned nowhere"},
	} {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(deploy)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(copied, c.file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := regexp.MustCompile(c.old).ReplaceAll(text, []byte(c.new))
		if bytes.Equal(changed, text) {
			t.Errorf("%s: %s has no %q", name, c.file, c.old)
		}
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		err = run([]string{"-deploy", copied, "-date", looked(t)}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
