package chart

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// apiServer is a real one. Beside the policies, namespaces and accounts that a test
// needs, and takes away again, nothing is stored: all else is a dry run.
type apiServer struct {
	client dynamic.Interface
	mapper meta.RESTMapper
}

func connect(t *testing.T) apiServer {
	t.Helper()
	path := os.Getenv("BOURSE_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("BOURSE_TEST_KUBECONFIG is not set: there is no API server to ask")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // the server knows better how much it can take
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := restmapper.GetAPIGroupResources(kinds)
	if err != nil {
		t.Fatal(err)
	}
	version, err := kinds.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Kubernetes %s", version.GitVersion)
	return apiServer{client, restmapper.NewDiscoveryRESTMapper(groups)}
}

// of returns where objects of its kind are; the error is one of [meta.IsNoMatchError]
// where the server does not know the kind.
func (s apiServer) of(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := o.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return s.client.Resource(mapping.Resource), nil
	}
	return s.client.Resource(mapping.Resource).Namespace(o.GetNamespace()), nil
}

// try returns why an object is refused in a namespace, or nil. A field that is unknown
// is an error.
func (s apiServer) try(ctx context.Context, o *unstructured.Unstructured, namespace string) error {
	o = o.DeepCopy()
	o.SetNamespace(namespace)
	resource, err := s.of(o)
	if err != nil {
		return err
	}
	if o.GetKind() == "Pod" { // which is let in only if its account is stored
		account := &unstructured.Unstructured{Object: parse(`{apiVersion: v1, kind: ServiceAccount, automountServiceAccountToken: false}`)}
		account.SetName(o.Object["spec"].(map[string]any)["serviceAccountName"].(string))
		account.SetNamespace(namespace)
		accounts, err := s.of(account)
		if err != nil {
			return err
		}
		if _, err := accounts.Create(ctx, account, metav1.CreateOptions{}); err != nil {
			return err
		}
		defer func() { _ = accounts.Delete(ctx, account.GetName(), metav1.DeleteOptions{}) }() // if it stays, the next is refused
	}
	_, err = resource.Create(ctx, o, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	return err
}

// apply applies an object as kubectl does, and takes it away after the test if it was
// not there before.
func (s apiServer) apply(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	resource, err := s.of(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = resource.Get(t.Context(), o.GetName(), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	isNew := err != nil
	if _, err := resource.Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "bourse-test", Force: true}); err != nil {
		t.Fatal(err)
	}
	if isNew {
		s.cleanUp(t, resource, o.GetName())
	}
}

// namespace makes a namespace with labels.
func (s apiServer) namespace(t *testing.T, labels string) string {
	t.Helper()
	o := &unstructured.Unstructured{Object: parse(`{apiVersion: v1, kind: Namespace, metadata: {generateName: bourse-test-, labels: ` + labels + `}}`)}
	resource, err := s.of(o)
	if err != nil {
		t.Fatal(err)
	}
	made, err := resource.Create(t.Context(), o, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.cleanUp(t, resource, made.GetName())
	return made.GetName()
}

func (s apiServer) cleanUp(t *testing.T, resource dynamic.ResourceInterface, name string) {
	t.Helper()
	t.Cleanup(func() {
		if err := resource.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// TestAPIServer breaks each best practice on a real API server with the policies, and
// sees that just that one is named; and it sees all that the chart makes accepted where
// the policies and the Pod Security Standard are enforced.
func TestAPIServer(t *testing.T) {
	s := connect(t)
	objects := breakable(t)
	whole := s.namespace(t, `{bourse/policies: enforce, pod-security.kubernetes.io/enforce: restricted}`)
	enforced := s.namespace(t, `{bourse/policies: enforce}`) // beside it the standard would answer first
	other := s.namespace(t, `{}`)
	for _, o := range policies(t) {
		s.apply(t, o)
	}
	// They are in force some time after they are stored, and each server has its own.
	inForce, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	t.Run("refuse", func(t *testing.T) {
		for _, b := range breaches {
			t.Run(b.name+"/"+b.edit, func(t *testing.T) {
				good, bad := b.commit(t, objects)
				if err := s.try(t.Context(), good, enforced); err != nil {
					t.Fatalf("refused before it is broken: %v", err)
				}
				if err := s.try(t.Context(), bad, other); err != nil {
					t.Fatalf("refused where no policy is enforced: %v", err)
				}
				refusal := s.try(t.Context(), bad, enforced)
				_ = wait.PollUntilContextCancel(inForce, 50*time.Millisecond, true, func(context.Context) (bool, error) {
					if refusal == nil {
						refusal = s.try(t.Context(), bad, enforced)
					}
					return refusal != nil, nil
				})
				if refusal == nil {
					t.Fatal("not refused")
				}
				if !strings.Contains(refusal.Error(), "denied request: "+b.says) {
					t.Errorf("refused for another reason: %v", refusal)
				}
			})
		}
	})
	t.Run("accept", func(t *testing.T) {
		accepted, unknown := map[string]int{}, map[string]int{}
		for _, o := range different(combinations(t)) {
			switch err := s.try(t.Context(), o, whole); {
			case meta.IsNoMatchError(err):
				unknown[o.GetKind()]++
			case err != nil:
				t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
			default:
				accepted[o.GetKind()]++
			}
		}
		t.Logf("accepted: %v; of kinds that this server does not have: %v", accepted, unknown)
		for _, name := range slices.Sorted(maps.Keys(unknown)) {
			if _, err := os.Stat("testdata/" + name + ".yaml"); err != nil { // a custom resource has its schema there
				t.Errorf("the server does not know %s", name)
			}
		}
	})
}
