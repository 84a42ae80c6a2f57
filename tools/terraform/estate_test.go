package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// An estate is what a root configuration makes, as Terraform shows it after an apply: by
// then references and policies have their values.
type estate struct {
	root      string // as envs/prod
	resources []resource
	order     map[string][]string // a resource or data block to those it waits for, without keys
}

type resource struct {
	Address string
	Mode    string // managed, data
	Type    string
	Values  map[string]any
}

// openTest copies the sources to a folder that ends with the test.
func openTest(t *testing.T) *workspace {
	t.Helper()
	w, err := openAlone(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// openAlone opens a workspace in which nothing depends on who runs it, or reaches an account.
func openAlone(ctx context.Context, dir string) (*workspace, error) {
	w, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	w.env = slices.DeleteFunc(w.env, func(v string) bool { return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "TF_VAR_") })
	w.env = append(w.env, "AWS_REGION=eu-central-1", "AWS_EC2_METADATA_DISABLED=true")
	return w, nil
}

// environments has the estate of each environment by its root, made once for all tests that
// read it and change nothing.
func environments(t *testing.T) map[string]*estate {
	t.Helper()
	needStandIn(t)
	made, err := applied()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var applied = sync.OnceValues(func() (map[string]*estate, error) {
	made := map[string]*estate{}
	for _, root := range []string{dev, prod} {
		e, err := applyAlone(root)
		if err != nil {
			return nil, err
		}
		made[root] = e
	}
	return made, nil
})

func applyAlone(root string) (*estate, error) {
	dir, err := os.MkdirTemp("", "estate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	w, err := openAlone(context.Background(), dir)
	if err != nil {
		return nil, err
	}
	if err := w.prepare(context.Background(), root); err != nil {
		return nil, err
	}
	return w.apply(context.Background(), root)
}

func needStandIn(t *testing.T) {
	t.Helper()
	if os.Getenv("BOURSE_TEST_TFSCHEMA") == "" {
		t.Skip("BOURSE_TEST_TFSCHEMA is not set: an apply needs the stand-in provider")
	}
}

// roots are all that can be applied: the environments, bootstrap, and the example of each
// module, which shows it with other values than the environments.
func roots(t *testing.T) []string {
	t.Helper()
	// The largest first, so that none is left alone at the end.
	return append(folders(t, "envs/*"), folders(t, "bootstrap", "modules/*/example")...)
}

// modules are all that can be tested alone.
func modules(t *testing.T) []string {
	t.Helper()
	return folders(t, "bootstrap", "modules/*", "envs/*")
}

// folders lists those that match and hold Terraform files.
func folders(t *testing.T, patterns ...string) []string {
	t.Helper()
	var found []string
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(sources, pattern, "*.tf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			dir, err := filepath.Rel(sources, filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(found, dir) {
				found = append(found, dir)
			}
		}
	}
	return found
}

// prepare makes a root ready to be applied: an example has no tags of its own, so it gets
// those that an environment gives to its modules.
func (w *workspace) prepare(ctx context.Context, root string) error {
	if err := w.useLocalBackend(root); err != nil {
		return err
	}
	if filepath.Base(root) == "example" {
		if err := w.tagExample(root); err != nil {
			return err
		}
	}
	_, err := w.terraform(ctx, root, "init", "-input=false")
	return err
}

const exampleTags = `default_tags {
    tags = { project = "bourse", environment = "example" }
  }
`

func (w *workspace) tagExample(root string) error {
	path := filepath.Join(w.path(root), "main.tf")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	tagged := strings.ReplaceAll(string(text), "provider \"aws\" {\n", "provider \"aws\" {\n  "+exampleTags)
	if tagged == string(text) {
		tagged += "\nprovider \"aws\" {\n  " + exampleTags + "}\n"
	}
	return os.WriteFile(path, []byte(tagged), 0o600)
}

// apply makes everything that the root describes and reads it back.
func (w *workspace) apply(ctx context.Context, root string) (*estate, error) {
	values, err := w.values(root)
	if err != nil {
		return nil, err
	}
	if _, err := w.terraform(ctx, root, append([]string{"apply", "-auto-approve"}, values...)...); err != nil {
		return nil, err
	}
	return w.read(ctx, root)
}

type shownModule struct {
	Resources []resource
	Children  []shownModule `json:"child_modules"`
}

func (m shownModule) all() []resource {
	found := m.Resources
	for _, child := range m.Children {
		found = append(found, child.all()...)
	}
	return found
}

func (w *workspace) read(ctx context.Context, root string) (*estate, error) {
	text, err := w.terraform(ctx, root, "show", "-json")
	if err != nil {
		return nil, err
	}
	var shown struct {
		Values struct {
			Root shownModule `json:"root_module"`
		}
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		return nil, fmt.Errorf("terraform show in %s: %w", root, err)
	}
	graph, err := w.terraform(ctx, root, "graph")
	if err != nil {
		return nil, err
	}
	return &estate{root, shown.Values.Root.all(), edges(string(graph))}, nil
}

var edge = regexp.MustCompile(`(?m)^\s*"([^"]+)" -> "([^"]+)";`)

// edges reads the order of `terraform graph`: a line says that the left waits for the right.
func edges(graph string) map[string][]string {
	order := map[string][]string{}
	for _, e := range edge.FindAllStringSubmatch(graph, -1) {
		order[e[1]] = append(order[e[1]], e[2])
	}
	return order
}

var keys = regexp.MustCompile(`\[[^\]]*\]`)

// waits says whether one resource is made after another.
func (e *estate) waits(one, other resource) bool {
	goal := keys.ReplaceAllString(other.Address, "")
	seen := map[string]bool{}
	next := slices.Clone(e.order[keys.ReplaceAllString(one.Address, "")])
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if at == goal {
			return true
		}
		if !seen[at] {
			seen[at] = true
			next = append(next, e.order[at]...)
		}
	}
	return false
}

// of lists the managed resources of some types.
func (e *estate) of(types ...string) []resource {
	var found []resource
	for _, r := range e.resources {
		if r.Mode == "managed" && slices.Contains(types, r.Type) {
			found = append(found, r)
		}
	}
	return found
}

// with lists the resources of a type whose attribute has a value.
func (e *estate) with(kind, attribute, value string) []resource {
	return slices.DeleteFunc(e.of(kind), func(r resource) bool { return value == "" || r.text(attribute) != value })
}

// get follows a path as vpc_config.endpoint_public_access; a block that stands once is a
// list of one.
func (r resource) get(path string) any {
	var at any = r.Values
	for step := range strings.SplitSeq(path, ".") {
		if list, ok := at.([]any); ok && len(list) > 0 {
			at = list[0]
		}
		values, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = values[step]
	}
	return at
}

func (r resource) text(path string) string    { s, _ := r.get(path).(string); return s }
func (r resource) is(path string) bool        { b, _ := r.get(path).(bool); return b }
func (r resource) number(path string) float64 { n, _ := r.get(path).(float64); return n }

// blocks are the repetitions of a block.
func (r resource) blocks(path string) []resource {
	list, _ := r.get(path).([]any)
	var found []resource
	for _, b := range list {
		if values, ok := b.(map[string]any); ok {
			found = append(found, resource{Address: r.Address, Type: r.Type, Values: values})
		}
	}
	return found
}

// texts are the strings of a list or set.
func (r resource) texts(path string) []string {
	list, _ := r.get(path).([]any)
	var found []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			found = append(found, s)
		}
	}
	return found
}
