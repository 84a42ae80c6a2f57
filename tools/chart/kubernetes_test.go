package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// releases are the newest of each minor that the module proxy has; 1.33 to 1.36 are
// what the chart promises.
var releases = []string{"v1.33.13", "v1.34.4", "v1.35.4", "v1.36.3", "v1.37.2"}

// TestKubernetes validates all that the chart makes, the policies, and what it needs in
// kind, against the OpenAPI documents of Kubernetes itself. A field that is unknown is an
// error.
func TestKubernetes(t *testing.T) {
	all := combinations(t)
	objects := different(all)
	t.Logf("%d combinations of values make %d different objects", len(all), len(objects))
	objects = append(append(objects, policies(t)...), needs(t)...)

	customs := loadCustoms(t)
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			schemas := loadRelease(t, release)
			checkStrict(t, schemas)
			kinds := map[string]int{}
			for _, o := range objects {
				schema := schemas[o.GroupVersionKind().String()]
				if custom := customs[o.GroupVersionKind().String()]; custom != nil {
					schema = custom
				}
				if schema == nil {
					t.Fatalf("%s has no %s", release, o.GroupVersionKind())
				}
				kinds[o.GetKind()]++
				if err := schema.Validate(plain(o.Object)); err != nil {
					t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
				}
			}
			t.Logf("%v", kinds)
		})
	}
}

// checkStrict proves that the schemas do refuse what they should.
func checkStrict(t *testing.T, schemas map[string]*jsonschema.Schema) {
	t.Helper()
	deployment := kind(mustRender(t, given()), "Deployment", "bourse-api")[0]
	for _, broken := range []struct {
		path  []string
		value any
	}{
		{[]string{"spec", "replcas"}, int64(3)},
		{[]string{"spec", "template", "spec", "terminationGracePeriod"}, int64(30)},
		{[]string{"spec", "replicas"}, "three"},
		{[]string{"spec", "template", "spec", "automountServiceAccountToken"}, "false"},
		{[]string{"spec", "template", "spec", "nodeSelector"}, map[string]any{"a": int64(1)}},
		{[]string{"spec", "template", "spec", "overhead"}, map[string]any{"cpu": "lots"}},
	} {
		o := deployment.DeepCopy()
		if err := unstructured.SetNestedField(o.Object, broken.value, broken.path...); err != nil {
			t.Fatal(err)
		}
		if err := schemas[o.GroupVersionKind().String()].Validate(plain(o.Object)); err == nil {
			t.Errorf("%s = %v is not refused", strings.Join(broken.path, "."), broken.value)
		}
	}
}

// loadRelease returns the schemas of a release of Kubernetes by their kinds. The
// documents come with its module, which the module proxy has; nothing is built of it.
func loadRelease(t *testing.T, release string) map[string]*jsonschema.Schema {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "k8s.io/kubernetes@"+release)
	cmd.Dir = t.TempDir() // outside of any module, whose go.sum would not know it
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &module); err != nil || jsonErr != nil || module.Dir == "" {
		t.Skipf("the module proxy does not give k8s.io/kubernetes@%s: %v %s", release, err, module.Error)
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, group := range []string{
		"api__v1", "apis__apps__v1", "apis__batch__v1", "apis__autoscaling__v2", "apis__policy__v1", "apis__networking.k8s.io__v1",
		"apis__admissionregistration.k8s.io__v1",
	} {
		text, err := os.ReadFile(filepath.Join(module.Dir, "api/openapi-spec/v3", group+"_openapi.json"))
		if err != nil {
			t.Fatal(err)
		}
		compileGroup(t, group, text, schemas)
	}
	return schemas
}

func compileGroup(t *testing.T, group string, text []byte, into map[string]*jsonschema.Schema) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	address := "https://kubernetes.invalid/" + group
	all := document.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
	for name, schema := range all {
		tighten(schema)
		if strings.HasSuffix(name, ".resource.Quantity") {
			all[name] = map[string]any{"type": []any{"string", "number"}, "pattern": `^[+-]?[0-9]+(\.[0-9]+)?([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$`}
		}
	}
	if err := compiler.AddResource(address, document); err != nil {
		t.Fatal(err)
	}
	for name, schema := range all {
		kinds, _ := schema.(map[string]any)["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue // none, or one that is of all groups, as DeleteOptions
		}
		k := kinds[0].(map[string]any)
		gv := strings.TrimPrefix(fmt.Sprintf("%s/%s", k["group"], k["version"]), "/")
		o := unstructured.Unstructured{Object: map[string]any{"apiVersion": gv, "kind": k["kind"]}}
		compiled, err := compiler.Compile(address + "#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		into[o.GroupVersionKind().String()] = compiled
	}
}

// tighten refuses unknown fields wherever a schema says what fields there are.
func tighten(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		_, has := s["properties"]
		_, open := s["additionalProperties"]
		if has && !open {
			s["additionalProperties"] = false
		}
		for _, sub := range s {
			tighten(sub)
		}
	case []any:
		for _, sub := range s {
			tighten(sub)
		}
	}
}

// loadCustoms returns the hand-kept schemas of the custom resources.
func loadCustoms(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	customs := map[string]*jsonschema.Schema{}
	for _, name := range []string{"PrometheusRule", "ServiceMonitor", "TargetGroupBinding"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		text, err = yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		properties := document.(map[string]any)["properties"].(map[string]any)
		o := unstructured.Unstructured{Object: map[string]any{
			"apiVersion": properties["apiVersion"].(map[string]any)["const"], "kind": properties["kind"].(map[string]any)["const"],
		}}
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource(name, document); err != nil {
			t.Fatal(err)
		}
		customs[o.GroupVersionKind().String()] = compiler.MustCompile(name)
	}
	return customs
}

// plain turns an object into what encoding/json makes of it.
func plain(object map[string]any) any {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	return out
}
