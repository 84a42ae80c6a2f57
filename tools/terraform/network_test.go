package main

import (
	"slices"
	"strings"
)

var networkRules = []rule{
	{"closed to the world", closedToTheWorld},
	{"endpoints not open", endpointsNotOpen},
	{"zones in prod", zonesInProd},
}

var world = []string{"0.0.0.0/0", "::/0"}

// closedToTheWorld: only the load balancer is for everyone, on 443 and 80.
func closedToTheWorld(e *estate, r *report) {
	check := func(of, rule resource, group string, blocks ...string) {
		open := slices.ContainsFunc(blocks, func(b string) bool { return slices.Contains(world, b) })
		r.want(!open || e.loadBalancers(group) && webPort(rule), of, "lets in the world from port %v to %v", rule.get("from_port"), rule.get("to_port"))
	}
	for _, rule := range e.of("aws_vpc_security_group_ingress_rule") {
		check(rule, rule, rule.text("security_group_id"), rule.text("cidr_ipv4"), rule.text("cidr_ipv6"))
	}
	for _, rule := range e.of("aws_security_group_rule") {
		if rule.text("type") == "ingress" {
			check(rule, rule, rule.text("security_group_id"), append(rule.texts("cidr_blocks"), rule.texts("ipv6_cidr_blocks")...)...)
		}
	}
	for _, group := range e.of("aws_security_group", "aws_default_security_group") {
		for _, rule := range group.blocks("ingress") {
			check(group, rule, group.text("id"), append(rule.texts("cidr_blocks"), rule.texts("ipv6_cidr_blocks")...)...)
		}
	}
}

func webPort(rule resource) bool {
	port := rule.number("from_port")
	protocol := rule.text("ip_protocol") + rule.text("protocol") // one of them, by the resource
	return protocol == "tcp" && port == rule.number("to_port") && (port == 443 || port == 80)
}

// loadBalancers says whether a security group is one of an application load balancer.
func (e *estate) loadBalancers(group string) bool {
	return slices.ContainsFunc(e.of("aws_lb"), func(lb resource) bool { return slices.Contains(lb.texts("security_groups"), group) })
}

// endpointsNotOpen: what has an address of its own is not for everyone either.
func endpointsNotOpen(e *estate, r *report) {
	for _, c := range e.of("aws_eks_cluster") {
		// Not said is open to all: AWS's default is 0.0.0.0/0.
		blocks := c.texts("vpc_config.public_access_cidrs")
		open := len(blocks) == 0 || slices.ContainsFunc(blocks, func(b string) bool { return slices.Contains(world, b) })
		r.want(!open || !c.is("vpc_config.endpoint_public_access"), c, "has an endpoint for %v", blocks)
		r.want(c.is("vpc_config.endpoint_private_access"), c, "sends its nodes to the endpoint over the internet")
	}
	for _, d := range e.of("aws_db_instance") {
		r.want(!d.is("publicly_accessible"), d, "has a public address")
	}
	for _, s := range e.of("aws_subnet") {
		r.want(!s.is("map_public_ip_on_launch"), s, "gives public addresses to whatever starts in it")
	}
	for _, t := range e.of("aws_launch_template") {
		for _, i := range t.blocks("network_interfaces") {
			r.want(i.text("associate_public_ip_address") != "true", t, "gives nodes public addresses")
		}
	}
}

const zones = 3

// zonesInProd: a zone may fail. Each has its own way out, its own nodes, and the database
// a standby in another.
func zonesInProd(e *estate, r *report) {
	if e.root != "envs/prod" {
		return
	}
	in := map[string]string{} // subnet: zone
	for _, s := range e.of("aws_subnet") {
		in[s.text("id")] = s.text("availability_zone")
	}
	var ways []string
	for _, nat := range e.of("aws_nat_gateway") {
		ways = append(ways, in[nat.text("subnet_id")])
	}
	r.want(distinct(ways) == zones && len(ways) == zones, resource{Address: "aws_nat_gateway"}, "stand in the zones %q: want one in each of %d", ways, zones)
	var nodes []string
	for _, group := range e.of("aws_eks_node_group") {
		subnets := group.texts("subnet_ids")
		r.want(len(subnets) == 1, group, "spans %d subnets: a volume's zone would not decide which group grows", len(subnets))
		for _, id := range subnets {
			nodes = append(nodes, in[id])
		}
	}
	r.want(distinct(nodes) == zones, resource{Address: "aws_eks_node_group"}, "stand in the zones %q: want %d", nodes, zones)
	for _, d := range e.of("aws_db_instance") {
		r.want(d.is("multi_az"), d, "has no standby in another zone")
	}
	tables := map[string]string{} // route table: its way out
	for _, route := range e.of("aws_route") {
		if nat := route.text("nat_gateway_id"); nat != "" {
			tables[route.text("route_table_id")] = nat
		}
	}
	gateways := map[string]string{}
	for _, nat := range e.of("aws_nat_gateway") {
		gateways[nat.text("id")] = in[nat.text("subnet_id")]
	}
	for _, a := range e.of("aws_route_table_association") {
		nat, out := tables[a.text("route_table_id")]
		r.want(!out || gateways[nat] == in[a.text("subnet_id")], a, "leaves through zone %q, from zone %q", gateways[nat], in[a.text("subnet_id")])
	}
}

func distinct(names []string) int {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return strings.TrimSpace(s) == "" })
	slices.Sort(names)
	return len(slices.Compact(names))
}
