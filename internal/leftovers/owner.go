package leftovers

import "strings"

// owner is an environment; the cluster has its name.
type owner struct{ name string }

// clusterTags are those that EKS and the controllers of a cluster give to what they
// make: key and value. Whoever has one of them is in no state of Terraform, but for the
// nodes' security group.
func (o owner) clusterTags() [][2]string {
	return [][2]string{
		{"elbv2.k8s.aws/cluster", o.name},                // load balancer controller
		{"kubernetes.io/cluster/" + o.name, "owned"},     // EKS, vpc-cni, the volume driver; "shared" is not the cluster's
		{"cluster.k8s.amazonaws.com/name", o.name},       // vpc-cni
		{"aws:eks:cluster-name", o.name},                 // EKS
		{"eks:cluster-name", o.name},                     // EKS, node groups
		{"ebs.csi.aws.com/cluster-name", o.name},         // the volume driver
		{"KubernetesCluster", o.name},                    // the volume driver
		{"k8s.io/cluster-autoscaler/" + o.name, "owned"}, // node groups
	}
}

// owns reports whether the tags of a resource say that it is the environment's, by
// which tag, and whether something other than Terraform made it.
func (o owner) owns(tags map[string]string) (why string, aside, ok bool) {
	for _, tag := range o.clusterTags() {
		if value, has := tags[tag[0]]; has && value == tag[1] {
			return joined(tag[0]+"="+value, made(tags)), true, true
		}
	}
	project, environment := tags["project"], tags["environment"]
	if project != "" && (environment == o.name || project+"-"+environment == o.name) {
		return "project=" + project + " environment=" + environment, false, true
	}
	return "", false, false
}

// made says for what a controller made a resource.
func made(tags map[string]string) string {
	switch {
	case tags["service.k8s.aws/stack"] != "":
		return "Service " + tags["service.k8s.aws/stack"]
	case tags["kubernetes.io/service-name"] != "":
		return "Service " + tags["kubernetes.io/service-name"]
	case tags["kubernetes.io/created-for/pvc/name"] != "":
		return "claim " + tags["kubernetes.io/created-for/pvc/namespace"] + "/" + tags["kubernetes.io/created-for/pvc/name"]
	case tags["eks:nodegroup-name"] != "":
		return "node group " + tags["eks:nodegroup-name"]
	}
	return ""
}

// environments are the values that the tag environment can have for this owner: its
// name, and what is left of it without the project.
func (o owner) environments() []string {
	values := []string{o.name}
	for rest, more := o.name, true; more; {
		if _, rest, more = strings.Cut(rest, "-"); more {
			values = append(values, rest)
		}
	}
	return values
}

// tagMap makes a map of a list of tags, which every service has a type of its own for.
func tagMap[T any](list []T, pair func(T) (key, value *string)) map[string]string {
	tags := map[string]string{}
	for _, tag := range list {
		if key, value := pair(tag); key != nil && value != nil {
			tags[*key] = *value
		}
	}
	return tags
}
