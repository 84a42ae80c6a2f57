# EKS makes one more group for its own side of the cluster and deletes it with the cluster.
# Nodes do not have it, so that all that may reach a pod is written here and in the modules
# that name this group.

resource "aws_security_group" "control_plane" {
  name        = "${var.name}-control-plane"
  description = "Interfaces of the EKS control plane"
  vpc_id      = var.network.vpc_id

  tags = { Name = "${var.name}-control-plane" }
}

resource "aws_security_group" "nodes" {
  name        = "${var.name}-nodes"
  description = "Nodes, and the pods on them"
  vpc_id      = var.network.vpc_id

  tags = {
    Name = "${var.name}-nodes"
    # Where a Service has a load balancer, its controller adds the rule for it here.
    "kubernetes.io/cluster/${var.name}" = "owned"
  }
}

resource "aws_vpc_security_group_ingress_rule" "control_plane" {
  security_group_id            = aws_security_group.control_plane.id
  description                  = "The Kubernetes API"
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "control_plane" {
  security_group_id            = aws_security_group.control_plane.id
  description                  = "Kubelets, webhooks and aggregated APIs"
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "tcp"
  from_port                    = 1025
  to_port                      = 65535
}

resource "aws_vpc_security_group_ingress_rule" "nodes_from_control_plane" {
  security_group_id            = aws_security_group.nodes.id
  description                  = "Kubelets, webhooks and aggregated APIs"
  referenced_security_group_id = aws_security_group.control_plane.id
  ip_protocol                  = "tcp"
  from_port                    = 1025
  to_port                      = 65535
}

# Which pod may reach which is for network policies, which know pods.
resource "aws_vpc_security_group_ingress_rule" "nodes_from_nodes" {
  security_group_id            = aws_security_group.nodes.id
  description                  = "Pods among each other"
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "nodes" {
  security_group_id = aws_security_group.nodes.id
  description       = "Upstreams, AWS, the database; pods are held by network policies"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}
