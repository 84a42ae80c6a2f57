package chart

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// TestRestricted asks Kubernetes' own Pod Security evaluator about all pods of the chart,
// and of what it needs in kind.
func TestRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
	verdict := func(pod corev1.PodTemplateSpec) policy.AggregateCheckResult {
		return policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
	}
	pods := 0
	for _, o := range append(different(combinations(t)), needs(t)...) {
		if podOf(o) == nil {
			continue
		}
		pods++
		if r := verdict(podTemplate(t, o)); !r.Allowed {
			t.Errorf("%s %s: %s", o.GetKind(), o.GetName(), r.ForbiddenDetail())
		}
	}
	t.Logf("%d pods pass restricted", pods)

	open := podTemplate(t, kind(mustRender(t, given()), "Deployment")[0])
	open.Spec.SecurityContext.SeccompProfile = nil
	if verdict(open).Allowed {
		t.Error("the evaluator lets a pod without seccomp through")
	}
}

func podTemplate(t *testing.T, o *unstructured.Unstructured) corev1.PodTemplateSpec {
	t.Helper()
	text, err := json.Marshal(podOf(o))
	if err != nil {
		t.Fatal(err)
	}
	var pod corev1.PodTemplateSpec
	if err := json.Unmarshal(text, &pod); err != nil {
		t.Fatal(err)
	}
	return pod
}

// TestWhole checks what spans objects, which neither a schema nor an admission policy
// sees: every Deployment has a budget, Services and budgets select its pods, names that
// pods refer to exist, and what a hook needs comes before it.
func TestWhole(t *testing.T) {
	for _, c := range combinations(t) {
		for _, o := range c.objects {
			if podOf(o) == nil {
				continue
			}
			who := fmt.Sprintf("%s: %s %s", c.name, o.GetKind(), o.GetName())
			pod := podTemplate(t, o)
			checkReferences(t, who, o, pod, c.objects)
			checkMemory(t, who, pod)
			if o.GetKind() == "Deployment" {
				checkSelected(t, who, pod, c.objects)
			}
		}
	}
}

// checkReferences looks for what a pod names, made before it.
func checkReferences(t *testing.T, who string, o *unstructured.Unstructured, pod corev1.PodTemplateSpec, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, ref := range references(pod.Spec) {
		if ref.name == "bourse-data" { // exists already
			continue
		}
		if found := kind(objects, ref.kind, ref.name); len(found) != 1 {
			t.Errorf("%s: there is no %s %s", who, ref.kind, ref.name)
		} else if weight(o) <= weight(found[0]) {
			t.Errorf("%s: %s %s comes after it", who, ref.kind, ref.name)
		}
	}
}

// checkMemory compares what Go's collector aims at with the limit.
func checkMemory(t *testing.T, who string, pod corev1.PodTemplateSpec) {
	t.Helper()
	for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		limit := float64(c.Resources.Limits.Memory().Value())
		found := false
		for _, e := range c.Env {
			if e.Name == "GOMEMLIMIT" {
				found = true
				mib, err := strconv.ParseFloat(strings.TrimSuffix(e.Value, "MiB"), 64)
				if share := mib * (1 << 20) / limit; err != nil || share < 0.88 || share > 0.9 {
					t.Errorf("%s: GOMEMLIMIT is %s of %g", who, e.Value, limit)
				}
			}
		}
		if !found && c.Name != "done" { // which only prints
			t.Errorf("%s: %s has no GOMEMLIMIT", who, c.Name)
		}
	}
}

// checkSelected looks for a budget, an address, and the Service of the pods themselves.
func checkSelected(t *testing.T, who string, pod corev1.PodTemplateSpec, objects []*unstructured.Unstructured) {
	t.Helper()
	for kindName, want := range map[string]int{"PodDisruptionBudget": 1, "Service": 2} {
		n := 0
		for _, s := range kind(objects, kindName) {
			if selects(s, pod.Labels) {
				n++
			}
		}
		if n < want || kindName == "PodDisruptionBudget" && n != want { // two budgets allow none
			t.Errorf("%s: %d of kind %s select it", who, n, kindName)
		}
	}
}

type reference struct{ kind, name string }

func references(pod corev1.PodSpec) []reference {
	refs := []reference{{"ServiceAccount", pod.ServiceAccountName}}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		for _, from := range c.EnvFrom {
			refs = append(refs, reference{"ConfigMap", from.ConfigMapRef.Name})
		}
		for _, e := range c.Env {
			if e.ValueFrom != nil {
				refs = append(refs, reference{"Secret", e.ValueFrom.SecretKeyRef.Name})
			}
		}
	}
	return refs
}

// weight is when Helm makes an object: hooks by their weight, then the rest, then tests.
func weight(o *unstructured.Unstructured) int {
	notes := o.GetAnnotations()
	switch hook := notes["helm.sh/hook"]; {
	case hook == "test":
		return 2000
	case hook != "":
		w, _ := strconv.Atoi(notes["helm.sh/hook-weight"])
		return w
	case podOf(o) != nil:
		return 1001 // Helm makes workloads after what they refer to
	}
	return 1000
}

func selects(o *unstructured.Unstructured, labels map[string]string) bool {
	selector, found, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if !found {
		selector, _, _ = unstructured.NestedStringMap(o.Object, "spec", "selector")
	}
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}
