data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  # End of EKS's standard support, from its release calendar; after it an hour of the control
  # plane costs six times as much. 1.34 ends on 2026-12-02, too soon to begin with.
  standard_support = {
    "1.35" = "2027-03-27"
    "1.36" = "2027-08-02"
  }

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = regex("^(.+)[a-z]$", keys(var.network.private_subnet_ids)[0])[0]
  # Known before the cluster is: policies that name it can be read in the plan.
  arn = "arn:${local.partition}:eks:${local.region}:${local.account}:cluster/${var.name}"
}

resource "aws_eks_cluster" "this" {
  name     = var.name
  version  = var.kubernetes_version
  role_arn = aws_iam_role.cluster.arn

  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  access_config {
    authentication_mode = "API" # no config map that a pod could write
    # Else whoever ran the first apply would be an administrator for good, in no list.
    bootstrap_cluster_creator_admin_permissions = false
  }

  vpc_config {
    subnet_ids              = values(var.network.private_subnet_ids)
    security_group_ids      = [aws_security_group.control_plane.id]
    endpoint_private_access = true # nodes never leave the VPC for it
    endpoint_public_access  = length(var.endpoint.public_cidrs) > 0
    # Empty means the world to EKS, should anybody ever open the endpoint by hand.
    public_access_cidrs = length(var.endpoint.public_cidrs) > 0 ? var.endpoint.public_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = aws_kms_key.secrets.arn
    }
  }

  # EKS would make a group without key and end. It uses the role until the cluster is gone:
  # without its policy the interfaces in our subnets would stay.
  depends_on = [
    aws_cloudwatch_log_group.control_plane,
    aws_iam_role_policy.cluster_secrets,
    aws_iam_role_policy_attachment.cluster,
  ]
}

resource "aws_cloudwatch_log_group" "control_plane" {
  name              = "/aws/eks/${var.name}/cluster"
  kms_key_id        = var.logs.key_arn
  retention_in_days = var.logs.retention_days
}

# Kubernetes' secrets are encrypted with it before they are stored.
resource "aws_kms_key" "secrets" {
  description             = "Kubernetes secrets of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-kubernetes-secrets"
  target_key_id = aws_kms_key.secrets.key_id
}

data "aws_iam_policy_document" "cluster_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

data "aws_iam_policy_document" "cluster_secrets" {
  statement {
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"]
    resources = [aws_kms_key.secrets.arn]
  }
}

resource "aws_iam_role" "cluster" {
  name               = "${var.name}-control-plane"
  description        = "EKS's control plane of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.cluster_trust.json
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_iam_role_policy" "cluster_secrets" {
  name   = "secrets"
  role   = aws_iam_role.cluster.id
  policy = data.aws_iam_policy_document.cluster_secrets.json
}

resource "aws_eks_access_entry" "admins" {
  for_each = var.admins

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
}

resource "aws_eks_access_policy_association" "admins" {
  for_each = var.admins

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.admins[each.key].principal_arn
  policy_arn    = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}
