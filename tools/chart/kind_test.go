package chart

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// needs are what `make kind` gives to the release, as a cluster of its own would.
func needs(t testing.TB) []*unstructured.Unstructured {
	t.Helper()
	return objectsOf(t, "../../deploy/kind/needs.yaml")
}

// TestKindNeeds looks for the claim that the values for kind name.
func TestKindNeeds(t *testing.T) {
	claim, _, _ := unstructured.NestedString(file(t, "kind"), "archive", "claim")
	if len(kind(needs(t), "PersistentVolumeClaim", claim)) != 1 {
		t.Errorf("there is no claim %q", claim)
	}
}
