package main

import "slices"

var clusterRules = []rule{
	{"add-on order", addonOrder},
	{"pinned add-ons", pinnedAddons},
	{"nodes", nodes},
}

// before must be there when the first node starts; after wait for a node to run on.
var before, after = []string{"vpc-cni", "eks-pod-identity-agent"}, []string{"coredns"}

// addonOrder: nodes that start before the network plugin come up with its defaults and keep
// them, and pods that start before the agent have no credentials; coredns waits in vain for
// a node and fails the apply.
func addonOrder(e *estate, r *report) {
	for _, cluster := range e.of("aws_eks_cluster") {
		addons := map[string]resource{}
		for _, a := range e.with("aws_eks_addon", "cluster_name", cluster.text("name")) {
			addons[a.text("addon_name")] = a
		}
		groups := e.with("aws_eks_node_group", "cluster_name", cluster.text("name"))
		r.want(len(groups) > 0, cluster, "has no node groups")
		for _, name := range slices.Concat(before, after) {
			r.want(addons[name].Type != "", cluster, "has no add-on %s", name)
		}
		for _, group := range groups {
			for _, name := range before {
				r.want(e.waits(group, addons[name]), group, "does not wait for %s", name)
			}
			for _, name := range after {
				r.want(e.waits(addons[name], group), group, "is not waited for by %s", name)
			}
		}
	}
}

// pinnedAddons: what is not pinned changes under a running cluster, as the defaults of
// amazon-cloudwatch-observability did three times in a year.
func pinnedAddons(e *estate, r *report) {
	for _, a := range e.of("aws_eks_addon") {
		r.want(version.MatchString(a.text("addon_version")), a, "has the version %q, not one of AWS's", a.text("addon_version"))
	}
}

func nodes(e *estate, r *report) {
	for _, t := range e.of("aws_launch_template") {
		r.want(t.text("metadata_options.http_tokens") == "required", t, "gives its role to whoever can send it a GET (IMDSv1)")
		r.want(t.number("metadata_options.http_put_response_hop_limit") == 1, t, "lets pods have the node's role: the hop limit is not 1")
		kinds := map[string]bool{}
		for _, s := range t.blocks("tag_specifications") {
			tags, _ := s.get("tags").(map[string]any)
			kinds[s.text("resource_type")] = len(missingTags(tags)) == 0
		}
		for _, kind := range []string{"instance", "volume"} {
			r.want(kinds[kind], t, "makes each %s without the tags: default_tags do not reach it", kind)
		}
	}
	for _, c := range e.of("aws_eks_cluster") {
		r.want(c.text("access_config.authentication_mode") == "API", c, "has access that is not in the plan (aws-auth)")
		r.want(slices.Contains(c.texts("enabled_cluster_log_types"), "audit"), c, "keeps no audit log")
	}
}
