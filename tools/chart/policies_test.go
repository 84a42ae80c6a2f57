package chart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/cel/environment"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const policyDir = "../../deploy/platform/policies"

// policies returns the policies and their bindings.
func policies(t testing.TB) []*unstructured.Unstructured {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(policyDir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no policies", err)
	}
	var all []*unstructured.Unstructured
	for _, path := range paths {
		all = append(all, objectsOf(t, path)...)
	}
	return all
}

// objectsOf returns the objects of a file.
func objectsOf(t testing.TB, path string) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := split(string(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return objects
}

// typed returns the policies as the API server has them.
func typed(t testing.TB) (all []*admissionv1.ValidatingAdmissionPolicy, bindings []*admissionv1.ValidatingAdmissionPolicyBinding) {
	t.Helper()
	for _, o := range policies(t) {
		text, _ := o.MarshalJSON()
		var err error
		switch o.GetKind() {
		case "ValidatingAdmissionPolicy":
			p := new(admissionv1.ValidatingAdmissionPolicy)
			err = yaml.UnmarshalStrict(text, p)
			scheme.Scheme.Default(p)
			for i := range p.Spec.MatchConstraints.ResourceRules { // what the API server fills in
				all := admissionv1.AllScopes
				p.Spec.MatchConstraints.ResourceRules[i].Scope = &all
			}
			p.Spec.MatchConstraints.NamespaceSelector, p.Spec.MatchConstraints.ObjectSelector = &metav1.LabelSelector{}, &metav1.LabelSelector{}
			equivalent := admissionv1.Equivalent
			p.Spec.MatchConstraints.MatchPolicy = &equivalent
			all = append(all, p)
		case "ValidatingAdmissionPolicyBinding":
			b := new(admissionv1.ValidatingAdmissionPolicyBinding)
			err = yaml.UnmarshalStrict(text, b)
			b.Spec.MatchResources.ObjectSelector = &metav1.LabelSelector{}
			equivalent := admissionv1.Equivalent
			b.Spec.MatchResources.MatchPolicy = &equivalent
			bindings = append(bindings, b)
		}
		if err != nil {
			t.Fatalf("%s: %v", o.GetName(), err)
		}
	}
	return all, bindings
}

// gate is the admission plugin of the API server with our policies, in front of two
// namespaces: bourse, where they are enforced, and other.
type gate struct {
	plugin  *validating.Plugin
	objects admission.ObjectInterfaces
}

func newGate(t *testing.T) gate {
	t.Helper()
	policies, bindings := typed(t)
	objects := []runtime.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bourse", Labels: map[string]string{"bourse/policies": "enforce"}}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "other"}},
	}
	for _, p := range policies {
		objects = append(objects, p)
	}
	for _, b := range bindings {
		objects = append(objects, b)
	}
	client := fake.NewClientset(objects...)
	factory := informers.NewSharedInformerFactory(client, 0)
	plugin, err := validating.NewPlugin(nil)
	if err != nil {
		t.Fatal(err)
	}
	plugin.SetExternalKubeInformerFactory(factory)
	plugin.SetExternalKubeClientSet(client)
	plugin.SetRESTMapper(meta.NewDefaultRESTMapper(nil))
	plugin.SetDynamicClient(dynamicfake.NewSimpleDynamicClient(scheme.Scheme))
	plugin.SetDrainedNotification(t.Context().Done())
	plugin.SetUnconditionalAuthorizer(authorizerfactory.NewAlwaysAllowAuthorizer())
	if err := plugin.ValidateInitialization(); err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	g := gate{plugin, admission.NewObjectInterfacesFromScheme(scheme.Scheme)}

	// The plugin compiles in the background: until it has, it lets all in.
	bad := &unstructured.Unstructured{Object: parse(`{apiVersion: v1, kind: ServiceAccount, metadata: {name: bad, namespace: bourse}}`)}
	tick, deadline := time.NewTicker(20*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for g.admit(bad) == nil {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the policies never came into force")
		}
	}
	return g
}

// admit returns why an object is refused, or nil.
func (g gate) admit(o *unstructured.Unstructured) error {
	gvk := o.GroupVersionKind()
	gvr, _ := meta.UnsafeGuessKindToResource(gvk)
	object, err := asServed(o)
	if err != nil {
		return err
	}
	attributes := admission.NewAttributesRecord(object, nil, gvk, o.GetNamespace(), o.GetName(), gvr, "", admission.Create, &metav1.CreateOptions{}, true, nil)
	return g.plugin.Validate(context.Background(), attributes, g.objects)
}

// asServed returns an object as the API server has it: of its Go type, so that fields
// which are always written are there, but without the defaults. A field that is unknown
// is an error.
func asServed(o *unstructured.Unstructured) (runtime.Object, error) {
	if !scheme.Scheme.Recognizes(o.GroupVersionKind()) {
		return o, nil // a custom resource
	}
	object, err := scheme.Scheme.New(o.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, object, true)
	return object, err
}

// TestPoliciesAdmit lets all that the chart makes through the policies.
func TestPoliciesAdmit(t *testing.T) {
	g := newGate(t)
	objects := different(combinations(t))
	for _, o := range objects {
		if err := g.admit(o); err != nil {
			t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
	t.Logf("%d objects admitted", len(objects))
}

// A breach is one best practice broken in one object of the chart.
type breach struct {
	kind, name string
	edit       string // path=value in YAML, or path alone to remove it; a number is an index
	says       string // what the refusal begins with
}

const (
	template  = "spec.template.spec."
	container = template + "containers.0."

	// The API server itself refuses privileged beside allowPrivilegeEscalation: false.
	privileged = "securityContext={privileged: true, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}"
)

var breaches = []breach{
	{"Deployment", "bourse-api", container + "resources.requests.cpu", "requests:"},
	{"Deployment", "bourse-api", container + "resources.requests.memory", "requests:"},
	{"Deployment", "bourse-api", container + "resources.limits", "limits:"},
	{"Deployment", "bourse-api", container + "resources.limits.memory", "limits:"},
	{"Deployment", "bourse-api", template + "securityContext.runAsNonRoot", "root:"},
	{"Deployment", "bourse-api", template + "securityContext.runAsUser=0", "root:"},
	{"Deployment", "bourse-api", container + "securityContext.runAsUser=0", "root:"},
	{"Deployment", "bourse-api", container + "securityContext.runAsNonRoot=false", "root:"},
	{"Deployment", "bourse-api", container + "securityContext.readOnlyRootFilesystem", "writable root:"},
	{"Deployment", "bourse-api", container + "securityContext.readOnlyRootFilesystem=false", "writable root:"},
	{"Deployment", "bourse-api", container + privileged, "privileged:"},
	{"Deployment", "bourse-api", container + "securityContext.allowPrivilegeEscalation", "escalation:"},
	{"Deployment", "bourse-api", container + "securityContext.allowPrivilegeEscalation=true", "escalation:"},
	{"Deployment", "bourse-api", container + "securityContext.capabilities", "capabilities:"},
	{"Deployment", "bourse-api", container + "securityContext.capabilities.add=[SYS_ADMIN]", "capabilities:"},
	{"Deployment", "bourse-api", template + "securityContext.seccompProfile", "seccomp:"},
	{"Deployment", "bourse-api", container + "securityContext.seccompProfile={type: Unconfined}", "seccomp:"},
	{"Deployment", "bourse-api", template + "automountServiceAccountToken", "token:"},
	{"Deployment", "bourse-api", template + "automountServiceAccountToken=true", "token:"},
	{"Deployment", "bourse-api", container + "image=registry.example.com:5000/bourse-api", "latest:"},
	{"Deployment", "bourse-api", container + "image=localhost/bourse-api:latest", "latest:"},
	{"Deployment", "bourse-api", template + "hostNetwork=true", "host:"},
	{"Deployment", "bourse-api", template + "hostPID=true", "host:"},
	{"Deployment", "bourse-api", template + "hostIPC=true", "host:"},
	{"Deployment", "bourse-api", template + "volumes=[{name: root, hostPath: {path: /}}]", "host:"},
	{"Deployment", "bourse-api", container + "ports.0.hostPort=80", "host:"},
	{"Deployment", "bourse-api", container + "env=[{name: DB_PASSWORD, value: hunter2}]", "secret in clear:"},
	{"Deployment", "bourse-api", container + "env=[{name: DATABASE, value: 'postgres://u:hunter2@db/b'}]", "secret in clear:"},

	{"CronJob", "bourse-ingest-ecb", "spec.jobTemplate." + container + "resources.limits", "limits:"},
	{"Job", "bourse-migrate", container + "securityContext.readOnlyRootFilesystem", "writable root:"},
	{"Pod", "bourse-test", "spec.automountServiceAccountToken", "token:"},
	{"Pod", "bourse-test", "spec.initContainers.0.resources.limits", "limits:"},
	{"Pod", "bourse-test", "spec.initContainers.0." + privileged, "privileged:"},

	{"Deployment", "bourse-web", container + "startupProbe", "probes:"},
	{"Deployment", "bourse-web", container + "livenessProbe", "probes:"},
	{"Deployment", "bourse-web", container + "readinessProbe", "probes:"},
	{"Deployment", "bourse-web", container + "livenessProbe.httpGet.path=/readyz", "liveness:"},
	{"Deployment", "bourse-web", template + "topologySpreadConstraints", "spread:"},
	{"Deployment", "bourse-web", template + "topologySpreadConstraints.0.topologyKey=rack", "spread:"},
	{"Deployment", "bourse-web", template + "topologySpreadConstraints.1.topologyKey=rack", "spread:"},
	{"Deployment", "bourse-web", template + "topologySpreadConstraints.0.nodeTaintsPolicy", "lost zone:"},
	{"Deployment", "bourse-web", template + "topologySpreadConstraints.0.minDomains=3", "lost zone:"},
	{"Deployment", "bourse-web", template + "topologySpreadConstraints.0.matchLabelKeys", "revisions:"},
	{"Deployment", "bourse-web", container + "lifecycle", "end:"},
	{"Deployment", "bourse-web", container + "lifecycle.preStop.sleep.seconds=15", "end:"},
	{"Deployment", "bourse-web", template + "terminationGracePeriodSeconds", "grace:"},
	{"Deployment", "bourse-web", template + "terminationGracePeriodSeconds=45", "grace:"},
	{"Deployment", "bourse-web", "spec.strategy", "rollout:"},
	{"Deployment", "bourse-web", "spec.strategy={type: Recreate}", "rollout:"},
	{"Deployment", "bourse-web", "spec.strategy.rollingUpdate.maxUnavailable=1", "rollout:"},

	{"PodDisruptionBudget", "bourse-web", "spec.unhealthyPodEvictionPolicy", "unhealthy:"},
	{"PodDisruptionBudget", "bourse-web", "spec.maxUnavailable=0", "drain:"},
	{"PodDisruptionBudget", "bourse-web", "spec={minAvailable: 100%, unhealthyPodEvictionPolicy: AlwaysAllow}", "drain:"},
	{"HorizontalPodAutoscaler", "bourse-web", "spec.behavior", "behaviour:"},
	{"HorizontalPodAutoscaler", "bourse-web", "spec.behavior.scaleDown.stabilizationWindowSeconds=0", "behaviour:"},
	{"HorizontalPodAutoscaler", "bourse-web", "spec.minReplicas", "replicas:"},
	{"HorizontalPodAutoscaler", "bourse-web", "spec.maxReplicas=3", "replicas:"},

	{"NetworkPolicy", "bourse-api", "spec.ingress.0.from", "anyone:"},
	{"NetworkPolicy", "bourse-api", "spec.ingress.0.ports", "anyone:"},
	{"NetworkPolicy", "bourse-api", "spec.egress=[{}]", "anyone:"},
	{"NetworkPolicy", "bourse-api", "spec.ingress.1.from=[{ipBlock: {cidr: 0.0.0.0/0}}]", "admin port:"},
	{"NetworkPolicy", "bourse-api", "spec.egress.2.to.0.ipBlock.except", "metadata:"},
	{"Service", "bourse-web-pods", "spec={type: NodePort, ports: [{port: 9090}]}", "admin port:"},
	{"Service", "bourse-web-public", "spec.ports.0.targetPort=admin", "admin port:"},
	{"Service", "bourse-web-public", "spec.externalIPs=[192.0.2.1]", "external:"},
	{"ServiceAccount", "bourse-api", "automountServiceAccountToken", "token:"},
	{"ServiceAccount", "bourse-api", "automountServiceAccountToken=true", "token:"},
}

// breakable are the objects of the breaches.
func breakable(t testing.TB) []*unstructured.Unstructured {
	t.Helper()
	return mustRender(t, given(), parse(`{exposure: loadBalancer, ingest: {enabled: true}, web: {autoscaling: {enabled: true}}}`))
}

// commit returns the object of a breach as the chart makes it, and broken.
func (b breach) commit(t *testing.T, objects []*unstructured.Unstructured) (good, bad *unstructured.Unstructured) {
	t.Helper()
	found := kind(objects, b.kind, b.name)
	if len(found) != 1 {
		t.Fatalf("the chart makes %d %s %s", len(found), b.kind, b.name)
	}
	bad = found[0].DeepCopy()
	path, value, set := strings.Cut(b.edit, "=")
	edit(t, bad.Object, strings.Split(path, "."), value, set)
	return found[0], bad
}

// TestPoliciesRefuse breaks each best practice once, and sees that just that one is
// named; in a namespace without the label the same object is let in.
func TestPoliciesRefuse(t *testing.T) {
	g := newGate(t)
	objects := breakable(t)
	for _, b := range breaches {
		t.Run(b.name+"/"+b.edit, func(t *testing.T) {
			good, bad := b.commit(t, objects)
			if err := g.admit(good); err != nil {
				t.Fatalf("refused before it is broken: %v", err)
			}
			err := g.admit(bad)
			if err == nil {
				t.Fatal("not refused")
			}
			if !strings.Contains(err.Error(), "denied request: "+b.says) {
				t.Errorf("refused for another reason: %v", err)
			}
			bad.SetNamespace("other")
			if err := g.admit(bad); err != nil {
				t.Errorf("refused where no policy is enforced: %v", err)
			}
		})
	}
}

// TestPoliciesAllBroken sees to it that TestPoliciesRefuse breaks every rule.
func TestPoliciesAllBroken(t *testing.T) {
	all, bindings := typed(t)
	rules := 0
	for _, p := range all {
		for _, v := range p.Spec.Validations {
			rules++
			says, _, _ := strings.Cut(v.Message, " ")
			if !slices.ContainsFunc(breaches, func(b breach) bool { return strings.HasPrefix(v.Message, b.says) }) {
				t.Errorf("%s: nothing breaks %q", p.Name, says)
			}
		}
		if !slices.ContainsFunc(bindings, func(b *admissionv1.ValidatingAdmissionPolicyBinding) bool { return b.Spec.PolicyName == p.Name }) {
			t.Errorf("%s has no binding", p.Name)
		}
	}
	t.Logf("%d policies with %d rules, broken in %d ways", len(all), rules, len(breaches))
}

// TestPoliciesCompile compiles every expression as the oldest API server does when it
// is asked to store the policy.
func TestPoliciesCompile(t *testing.T) {
	all, _ := typed(t)
	for _, minor := range []uint{33, 34, 35, 36} {
		for _, p := range all {
			compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(1, minor)))
			if err != nil {
				t.Fatal(err)
			}
			options := plugincel.OptionalVariableDeclarations{HasAuthorizer: true}
			for _, v := range p.Spec.Variables {
				result := compiler.CompileAndStoreVariable(&validating.Variable{Name: v.Name, Expression: v.Expression}, options, environment.NewExpressions)
				if result.Error != nil {
					t.Errorf("1.%d: %s: %s: %v", minor, p.Name, v.Name, result.Error)
				}
			}
			for _, v := range p.Spec.Validations {
				result := compiler.CompileCELExpression(&validating.ValidationCondition{Expression: v.Expression, Message: v.Message}, options, environment.NewExpressions)
				if result.Error != nil {
					t.Errorf("1.%d: %s: %s: %v", minor, p.Name, v.Message, result.Error)
				}
			}
		}
	}
}

// edit sets or removes what a path leads to.
func edit(t *testing.T, at any, path []string, value string, set bool) {
	t.Helper()
	if len(path) > 1 {
		switch node := at.(type) {
		case map[string]any:
			if node[path[0]] == nil {
				t.Fatalf("there is no %s", path[0])
			}
			edit(t, node[path[0]], path[1:], value, set)
		case []any:
			var i int
			if _, err := fmt.Sscan(path[0], &i); err != nil || i >= len(node) {
				t.Fatalf("there is no %s in a list of %d", path[0], len(node))
			}
			edit(t, node[i], path[1:], value, set)
		default:
			t.Fatalf("there is no %s", path[0])
		}
		return
	}
	node := at.(map[string]any)
	if !set {
		if _, has := node[path[0]]; !has {
			t.Fatalf("there is no %s to remove", path[0])
		}
		delete(node, path[0])
		return
	}
	objects, err := split("{apiVersion: v1, kind: Value, value: " + value + "}")
	if err != nil {
		t.Fatal(err)
	}
	node[path[0]] = objects[0].Object["value"]
}
