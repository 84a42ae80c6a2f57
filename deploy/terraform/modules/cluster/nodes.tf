resource "aws_launch_template" "nodes" {
  name                   = "${var.name}-nodes"
  description            = "Nodes of ${var.name}; EKS adds the AMI and the user data"
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.nodes.id]

  # With version 2 a request that a pod is tricked into sending gets no credentials, and with
  # one hop a pod does not reach them at all: pods have roles of their own.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.nodes.disk_gb
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(var.tags, { Name = "${var.name}-node" })
    }
  }
}

# One per zone, so that the autoscaler can add a node where a pod needs one.
resource "aws_eks_node_group" "this" {
  for_each = var.network.private_subnet_ids

  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${var.name}-${substr(each.key, -1, 1)}-"
  version                = var.kubernetes_version
  release_version        = var.nodes.release
  node_role_arn          = aws_iam_role.nodes.arn
  subnet_ids             = [each.value]
  ami_type               = var.nodes.ami_type
  capacity_type          = "ON_DEMAND"
  instance_types         = var.nodes.instance_types

  launch_template {
    id      = aws_launch_template.nodes.id
    version = aws_launch_template.nodes.latest_version
  }

  scaling_config {
    min_size     = var.nodes.min
    max_size     = var.nodes.max
    desired_size = var.nodes.desired
  }

  update_config {
    max_unavailable = 1
  }

  # A node without vpc-cni never becomes ready, and vpc-cni has its rights by the agent of Pod
  # Identity. On destroy the order is the reverse: vpc-cni lives until the nodes are gone and
  # can free their interfaces, which would hold subnets and security groups.
  depends_on = [
    aws_eks_addon.before_nodes,
    aws_eks_pod_identity_association.this,
    aws_iam_role_policy_attachment.nodes,
    aws_iam_role_policy_attachment.pods,
    aws_vpc_security_group_egress_rule.control_plane,
    aws_vpc_security_group_egress_rule.nodes,
    aws_vpc_security_group_ingress_rule.control_plane,
    aws_vpc_security_group_ingress_rule.nodes_from_control_plane,
    aws_vpc_security_group_ingress_rule.nodes_from_nodes,
  ]

  lifecycle {
    create_before_destroy = true                             # another instance type must not empty a zone
    ignore_changes        = [scaling_config[0].desired_size] # the autoscaler's
  }
}

data "aws_iam_policy_document" "nodes_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "nodes" {
  name               = "${var.name}-nodes"
  description        = "Nodes of ${var.name}: join the cluster, pull images. Pods have roles of their own."
  assume_role_policy = data.aws_iam_policy_document.nodes_trust.json
}

resource "aws_iam_role_policy_attachment" "nodes" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"])

  role       = aws_iam_role.nodes.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key}"
}
