package main

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v3"
)

// A pin is a version that deploy chose.
type pin struct{ component, version, file string }

// readPins reads them where they stand. A file without the pin it should have is an error, so
// that none is lost when files are moved about.
func readPins(deploy string) ([]pin, error) {
	r := &reader{deploy: deploy}
	r.variable("kubernetes", "terraform/modules/cluster/variables.tf", "kubernetes_version")
	r.addons("terraform/modules/cluster/addons.tf")
	r.variable("postgres", "terraform/modules/database/variables.tf", "engine_version")
	r.runtime("terraform/modules/ingest/main.tf")
	r.overrides("kubernetes", "kubernetes_version", "postgres", "engine_version", "addon/", "addons")
	r.providers()
	r.releases("platform/releases.env", map[string]string{
		"LOAD_BALANCER_CONTROLLER": "helm/aws-load-balancer-controller", "CLUSTER_AUTOSCALER": "helm/cluster-autoscaler",
		"FLUENT_BIT": "helm/fluent-bit",
	})
	r.image("image/cluster-autoscaler", "platform/cluster-autoscaler.yaml")
	return r.pins, r.err
}

// reader collects pins until the first error.
type reader struct {
	deploy string
	pins   []pin
	err    error
}

func (r *reader) add(component, version, file string) {
	p := pin{component, version, file}
	same := func(other pin) bool { return other.component == component && other.version == version }
	if !slices.ContainsFunc(r.pins, same) {
		r.pins = append(r.pins, p)
	}
}

func (r *reader) fail(file, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", file, fmt.Sprintf(format, args...))
	}
}

func (r *reader) read(file string) []byte {
	text, err := os.ReadFile(filepath.Join(r.deploy, file))
	if err != nil && r.err == nil {
		r.err = err
	}
	return text
}

func (r *reader) blocks(file, kind string) []*hclsyntax.Block {
	parsed, diagnostics := hclparse.NewParser().ParseHCL(r.read(file), file)
	if diagnostics.HasErrors() {
		r.fail(file, "%s", diagnostics.Error())
		return nil
	}
	return slices.DeleteFunc(parsed.Body.(*hclsyntax.Body).Blocks, func(b *hclsyntax.Block) bool { return b.Type != kind })
}

// constant is a value that needs no other.
func (r *reader) constant(file string, of hcl.Expression) cty.Value {
	value, diagnostics := of.Value(nil)
	if diagnostics.HasErrors() || !value.IsWhollyKnown() {
		r.fail(file, "a version is not a constant: %s", of.Range())
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return value
}

func (r *reader) version(component, file string, of hcl.Expression) {
	value := r.constant(file, of)
	if value.IsNull() || value.Type() != cty.String {
		r.fail(file, "the version of %s is no string", component)
		return
	}
	r.add(component, value.AsString(), file)
}

func (r *reader) versions(prefix, file string, of hcl.Expression) {
	value := r.constant(file, of)
	if value.IsNull() || !value.Type().IsObjectType() {
		r.fail(file, "%s is no object of versions", of.Range())
		return
	}
	versions := value.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		r.add(prefix+name, versions[name].AsString(), file)
	}
}

func (r *reader) variable(component, file, name string) {
	for _, b := range r.blocks(file, "variable") {
		if b.Labels[0] == name && b.Body.Attributes["default"] != nil {
			r.version(component, file, b.Body.Attributes["default"].Expr)
			return
		}
	}
	r.fail(file, "variable %s has no default to read", name)
}

func (r *reader) addons(file string) {
	for _, b := range r.blocks(file, "locals") {
		if list := b.Body.Attributes["addon_versions"]; list != nil {
			r.versions("addon/", file, list.Expr)
			return
		}
	}
	r.fail(file, "local addon_versions is not there")
}

func (r *reader) runtime(file string) {
	for _, b := range r.blocks(file, "resource") {
		if b.Labels[0] == "aws_lambda_function" && b.Body.Attributes["runtime"] != nil {
			r.version("lambda-runtime", file, b.Body.Attributes["runtime"].Expr)
			return
		}
	}
	r.fail(file, "no function with a runtime")
}

// overrides are versions that an environment gives its modules; pairs of component and input.
func (r *reader) overrides(pairs ...string) {
	for _, file := range r.glob("terraform/envs/*/*.tf") {
		for _, b := range r.blocks(file, "module") {
			for pair := range slices.Chunk(pairs, 2) {
				input := b.Body.Attributes[pair[1]]
				switch {
				case input == nil:
				case strings.HasSuffix(pair[0], "/"):
					r.versions(pair[0], file, input.Expr)
				default:
					r.version(pair[0], file, input.Expr)
				}
			}
		}
	}
}

func (r *reader) glob(pattern string) []string {
	paths, err := filepath.Glob(filepath.Join(r.deploy, pattern))
	if err != nil || len(paths) == 0 {
		r.fail(pattern, "no file: %v", err)
	}
	for i, path := range paths {
		paths[i], err = filepath.Rel(r.deploy, path)
		if err != nil {
			r.fail(path, "%v", err)
		}
	}
	return paths
}

func (r *reader) providers() {
	for _, pattern := range []string{"terraform/modules/*/versions.tf", "terraform/envs/*/versions.tf", "terraform/bootstrap/versions.tf"} {
		for _, file := range r.glob(pattern) {
			for _, b := range r.blocks(file, "terraform") {
				for _, required := range b.Body.Blocks {
					if required.Type == "required_providers" {
						r.provider(file, required)
					}
				}
			}
		}
	}
}

func (r *reader) provider(file string, required *hclsyntax.Block) {
	for name, attribute := range required.Body.Attributes {
		pairs, diagnostics := hcl.ExprMap(attribute.Expr) // configuration_aliases are no values
		if diagnostics.HasErrors() {
			r.fail(file, "%s", diagnostics.Error())
			return
		}
		for _, p := range pairs {
			if hcl.ExprAsKeyword(p.Key) == "version" {
				r.bound("hashicorp/"+name, file, p.Value)
			}
		}
	}
}

// bound takes the upper bound, as < 7.0: the newest version that may be installed. The lower
// one differs between modules, by what they use.
func (r *reader) bound(component, file string, of hcl.Expression) {
	value := r.constant(file, of)
	if value.IsNull() {
		return
	}
	i := strings.LastIndex(value.AsString(), "<")
	if i < 0 {
		r.fail(file, "%s has no upper bound", component)
		return
	}
	r.add(component, value.AsString()[i:], file)
}

func (r *reader) releases(file string, components map[string]string) {
	lines := bufio.NewScanner(bytes.NewReader(r.read(file)))
	for lines.Scan() {
		name, version, ok := strings.Cut(lines.Text(), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if components[name] == "" {
			r.fail(file, "%s is a release that guard does not know", name)
			return
		}
		r.add(components[name], version, file)
		delete(components, name)
	}
	for name := range components {
		r.fail(file, "%s is not there", name)
	}
}

func (r *reader) image(component, file string) {
	var values struct{ Image struct{ Tag string } }
	if err := yaml.Unmarshal(r.read(file), &values); err != nil || values.Image.Tag == "" {
		r.fail(file, "no image.tag: %v", err)
		return
	}
	r.add(component, values.Image.Tag, file)
}
