package chart

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// An end is a pod, or an address outside of the cluster.
type end struct {
	namespace string
	labels    labels.Set
	address   string
}

func part(component string) end {
	return end{namespace: "bourse", labels: labels.Set{
		"app.kubernetes.io/name": "bourse", "app.kubernetes.io/instance": "bourse", "app.kubernetes.io/component": component,
	}}
}

// TestFlows asks the NetworkPolicies of production with CronJobs about every pair of
// ends and every port that matters: exactly the flows below are open.
func TestFlows(t *testing.T) {
	ends := map[string]end{
		"api": part("api"), "web": part("web"), "ingest": part("ingest"), "migrate": part("migrate"), "test": part("test"),
		"stranger":     {namespace: "bourse", labels: labels.Set{"app": "stranger"}},
		"other":        {namespace: "other", labels: part("web").labels}, // as web is labelled, elsewhere
		"dns":          {namespace: "kube-system", labels: labels.Set{"k8s-app": "kube-dns"}},
		"prometheus":   {namespace: "monitoring", labels: labels.Set{"app.kubernetes.io/name": "prometheus"}},
		"collector":    {namespace: "monitoring", labels: labels.Set{"app.kubernetes.io/name": "opentelemetry-collector"}},
		"grafana":      {namespace: "monitoring", labels: labels.Set{"app.kubernetes.io/name": "grafana"}},
		"alb":          {address: "10.0.3.4"},
		"database":     {address: "10.0.9.9"},
		"internet":     {address: "203.0.113.7"},
		"intranet":     {address: "192.168.7.7"},
		"metadata":     {address: "169.254.169.254"},
		"pod identity": {address: "169.254.170.23"},
	}
	type flow struct {
		from, to string
		port     int32
	}
	want := []flow{
		{"alb", "web", 8080}, {"database", "web", 8080}, // an address of the VPC as any
		{"test", "web", 8080}, {"web", "api", 8080},
		{"prometheus", "api", 9090}, {"prometheus", "web", 9090},
		{"api", "alb", 5432}, {"ingest", "alb", 5432}, {"migrate", "alb", 5432}, // so is the database
		{"api", "database", 5432}, {"ingest", "database", 5432}, {"migrate", "database", 5432},
		{"api", "collector", 4318}, {"web", "collector", 4318}, {"ingest", "collector", 4318},
		{"api", "internet", 443}, {"ingest", "internet", 443},
		{"api", "pod identity", 80}, {"ingest", "pod identity", 80}, {"migrate", "pod identity", 80},
	}
	ours := []string{"api", "web", "ingest", "migrate", "test"}
	for _, from := range ours {
		want = append(want, flow{from, "dns", 53})
	}

	objects := mustRender(t, file(t, "prod"), given(), parse(`{ingest: {enabled: true}, traces: {endpoint: "http://otel:4318"}}`))
	var policies []networkingv1.NetworkPolicy
	for _, o := range kind(objects, "NetworkPolicy") {
		text, _ := json.Marshal(o.Object)
		var p networkingv1.NetworkPolicy
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		policies = append(policies, p)
	}
	asked, open := 0, 0
	for fromName, from := range ends {
		for toName, to := range ends {
			if !slices.Contains(ours, fromName) && !slices.Contains(ours, toName) {
				continue
			}
			for _, port := range []int32{22, 53, 80, 443, 4318, 5432, 8080, 9090} {
				f := flow{fromName, toName, port}
				asked++
				is := allowed(policies, from, to, port)
				if is {
					open++
				}
				if is != slices.Contains(want, f) {
					t.Errorf("%s to %s:%d is open: %v", f.from, f.to, f.port, is)
				}
			}
		}
	}
	t.Logf("of %d flows asked, %d are open", asked, open)
}

// allowed decides as networking.k8s.io/v1 says: a pod that policies select may do what
// one of them allows, any other pod may do all; both ends must agree.
func allowed(policies []networkingv1.NetworkPolicy, from, to end, port int32) bool {
	out, in := true, true
	for _, p := range policies {
		if applies(p, from, networkingv1.PolicyTypeEgress) {
			out = false
		}
		if applies(p, to, networkingv1.PolicyTypeIngress) {
			in = false
		}
	}
	for _, p := range policies {
		if applies(p, from, networkingv1.PolicyTypeEgress) {
			for _, r := range p.Spec.Egress {
				out = out || hasPort(r.Ports, port) && hasPeer(r.To, p.Namespace, to)
			}
		}
		if applies(p, to, networkingv1.PolicyTypeIngress) {
			for _, r := range p.Spec.Ingress {
				in = in || hasPort(r.Ports, port) && hasPeer(r.From, p.Namespace, from)
			}
		}
	}
	return out && in
}

func applies(p networkingv1.NetworkPolicy, e end, direction networkingv1.PolicyType) bool {
	return e.namespace == p.Namespace && matches(&p.Spec.PodSelector, e.labels) && slices.Contains(p.Spec.PolicyTypes, direction)
}

func hasPort(ports []networkingv1.NetworkPolicyPort, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		return p.Port == nil || p.Port.IntVal == port
	})
}

func hasPeer(peers []networkingv1.NetworkPolicyPeer, namespace string, e end) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if p.IPBlock != nil {
			return e.address != "" && inBlock(p.IPBlock, e.address)
		}
		if e.address != "" || p.PodSelector != nil && !matches(p.PodSelector, e.labels) {
			return false
		}
		if p.NamespaceSelector == nil {
			return e.namespace == namespace
		}
		return matches(p.NamespaceSelector, labels.Set{"kubernetes.io/metadata.name": e.namespace})
	})
}

func inBlock(b *networkingv1.IPBlock, address string) bool {
	at := netip.MustParseAddr(address)
	return netip.MustParsePrefix(b.CIDR).Contains(at) && !slices.ContainsFunc(b.Except, func(e string) bool {
		return netip.MustParsePrefix(e).Contains(at)
	})
}

func matches(s *metav1.LabelSelector, set labels.Set) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(set)
}
