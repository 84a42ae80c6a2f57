// Package chart tests the Helm chart of deploy/chart and the policies of
// deploy/platform without a cluster: by Helm's own engine, Kubernetes' published
// schemas and the API server's own admission code.
package chart

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const chartDir = "../../deploy/chart"

var loadChart = sync.OnceValues(func() (*chart.Chart, error) { return loader.LoadDir(chartDir) })

// values are what a person gives to Helm, in the form of a values file.
type values = map[string]any

// given is what every installation must say: where its data are.
func given() values {
	return parse(`
database: {url: "postgres://bourse@db.example.com:5432/bourse?auth=iam"}
archive: {url: "s3://archive?region=eu-west-1"}
targetGroup: {arn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"}
networkPolicy: {database: {cidrs: [10.0.0.0/16]}}
`)
}

func parse(text string) values {
	var v values
	if err := yaml.UnmarshalStrict([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("%v in %s", err, text))
	}
	return v
}

// merged joins values, the later ones winning, as Helm does with -f -f.
func merged(all ...values) values {
	out := values{}
	for _, v := range all {
		out = loader.MergeMaps(out, v)
	}
	return out
}

// file reads one of the chart's values files: "" for none, else dev, prod or kind.
func file(t testing.TB, name string) values {
	t.Helper()
	v, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func read(name string) (values, error) {
	if name == "" {
		return values{}, nil
	}
	text, err := os.ReadFile(filepath.Join(chartDir, "values-"+name+".yaml"))
	if err != nil {
		return nil, err
	}
	return parse(string(text)), nil
}

// render returns the objects that the chart makes of values, as `helm install bourse`.
func render(v values) ([]*unstructured.Unstructured, error) {
	c, err := loadChart()
	if err != nil {
		return nil, err
	}
	release := common.ReleaseOptions{Name: "bourse", Namespace: "bourse", Revision: 1, IsInstall: true}
	caps := common.DefaultCapabilities.Copy()
	all, err := util.ToRenderValues(c, v, release, caps)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		of, err := split(files[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		objects = append(objects, of...)
	}
	return objects, nil
}

func mustRender(t testing.TB, v ...values) []*unstructured.Unstructured {
	t.Helper()
	objects, err := render(merged(v...))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

var documents = regexp.MustCompile(`(?m)^---\s*$`)

// split reads a stream of YAML; a name that stands twice in a map is an error.
func split(text string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, doc := range documents.Split(text, -1) {
		text, err := yaml.YAMLToJSONStrict([]byte(doc))
		if err != nil {
			return nil, err
		}
		if string(text) == "null" {
			continue
		}
		object := new(unstructured.Unstructured)
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// kind returns the objects of a kind, or a single one by name where one is given.
func kind(objects []*unstructured.Unstructured, kind string, name ...string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, o := range objects {
		if o.GetKind() == kind && (len(name) == 0 || slices.Contains(name, o.GetName())) {
			found = append(found, o)
		}
	}
	return found
}

// podOf returns the template of an object's pods, or the pod itself; nil where the
// object has none.
func podOf(o *unstructured.Unstructured) map[string]any {
	path := map[string][]string{
		"Pod": {}, "Deployment": {"spec", "template"}, "Job": {"spec", "template"},
		"CronJob": {"spec", "jobTemplate", "spec", "template"},
	}
	at, has := path[o.GetKind()]
	if !has {
		return nil
	}
	pod, _, _ := unstructured.NestedMap(o.Object, at...)
	if len(at) == 0 {
		pod = o.Object
	}
	return pod
}

// dimensions are the choices of the chart; the first of each is the default.
var dimensions = map[string][]string{
	"file":        {"", "dev", "prod", "kind"},
	"exposure":    {`{exposure: none}`, `{exposure: loadBalancer}`, `{exposure: loadBalancer, loadBalancer: {certificateARN: "arn:aws:acm:eu-west-1:1:certificate/x", sourceRanges: [192.0.2.0/24], scheme: internal}}`, `{exposure: loadBalancer, loadBalancer: {class: ""}}`, `{exposure: targetGroup}`, `{exposure: targetGroup, targetGroup: {securityGroup: sg-0123}, proxies: 3}`},
	"secret":      {`{}`, `{database: {url: ""}, secret: {databaseURL: "postgres://u:p@db/b", alphavantageKey: demo-key}}`, `{database: {url: ""}, secret: {name: bourse-data}}`, `{secret: {alphavantageKey: demo-key}}`, `{secret: {name: bourse-data}, database: {certificates: rds}}`},
	"archive":     {`{archive: {claim: ""}}`, `{archive: {url: "", claim: bourse-archive}}`},
	"ingest":      {`{ingest: {enabled: false}}`, `{ingest: {enabled: true, ecbURL: "http://replay:8080/ecb", coinbaseURL: "http://replay:8080/cb", alphavantageURL: "http://replay:8080/av"}}`},
	"migrate":     {`{migrate: {enabled: true}}`, `{migrate: {enabled: false}}`},
	"autoscaling": {`{}`, `{api: {autoscaling: {enabled: true}}}`, `{api: {autoscaling: {enabled: true, requestsPerSecond: 50}}, web: {autoscaling: {enabled: true}}}`},
	"network":     {`{}`, `{networkPolicy: {enabled: false}}`, `{networkPolicy: {podIdentity: false, archive: [], upstreams: [{cidr: 172.30.0.1/32, port: 8080}]}}`},
	"monitoring":  {`{}`, `{monitoring: {serviceMonitor: {enabled: true, labels: {release: prometheus}}, prometheusRule: {enabled: true, labels: {release: prometheus}}, dashboards: {enabled: true}}}`},
	"image":       {`{}`, `{image: {repository: registry.example.com/bourse, tag: v1.2.3, pullPolicy: Always, pullSecrets: [registry]}}`, `{image: {digests: {api: "sha256:` + strings.Repeat("0", 64) + `"}}}`},
	"env":         {`{}`, `{env: {OTEL_BSP_SCHEDULE_DELAY: "1000"}, logLevel: DEBUG}`},
	"traces":      {`{}`, `{traces: {endpoint: "http://otel:4318", sampleRatio: 1}}`},
}

// A combination is what the chart makes of some choices. Objects that several have in
// common are the same pointer, and must not be changed.
type combination struct {
	name    string
	objects []*unstructured.Unstructured
}

// combinations are all pairs of choices, each pair with the other choices at their
// defaults, and each of those for every values file.
func combinations(t testing.TB) []combination {
	t.Helper()
	all, err := renderAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var renderAll = sync.OnceValues(func() ([]combination, error) {
	var all []combination
	seen, common := map[string]bool{}, map[[32]byte]*unstructured.Unstructured{}
	for _, choice := range pairs() {
		name, v, err := choose(choice)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		objects, err := render(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i, o := range objects {
			text, err := o.MarshalJSON()
			if err != nil {
				return nil, err
			}
			key := sha256.Sum256(text)
			if common[key] == nil {
				common[key] = o
			}
			objects[i] = common[key]
		}
		all = append(all, combination{name, objects})
	}
	return all, nil
})

// different returns every object that is in a combination, once.
func different(all []combination) []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	seen := map[*unstructured.Unstructured]bool{}
	for _, c := range all {
		for _, o := range c.objects {
			if !seen[o] {
				seen[o] = true
				objects = append(objects, o)
			}
		}
	}
	return objects
}

func pairs() []map[string]int {
	var all []map[string]int
	names := slices.Sorted(maps.Keys(dimensions))
	for from := range dimensions["file"] {
		for _, a := range names {
			for _, b := range names {
				for i := range dimensions[a] {
					for j := range dimensions[b] {
						if a < b && a != "file" && b != "file" {
							all = append(all, map[string]int{"file": from, a: i, b: j})
						}
					}
				}
			}
		}
	}
	return all
}

// choose returns the values of some choices, and a name for them.
func choose(choice map[string]int) (string, values, error) {
	from := dimensions["file"][choice["file"]]
	v, err := read(from)
	if err != nil {
		return "", nil, err
	}
	v = merged(v, given())
	name := "values-" + from
	for _, d := range slices.Sorted(maps.Keys(dimensions)) {
		if d != "file" && choice[d] != 0 { // a default leaves to the file what it has
			name += fmt.Sprintf(" %s=%d", d, choice[d])
			v = merged(v, parse(dimensions[d][choice[d]]))
		}
	}
	if from == "kind" { // which has a claim
		v = merged(v, parse(`{archive: {url: "", claim: bourse-archive}}`))
	}
	return name, v, nil
}
