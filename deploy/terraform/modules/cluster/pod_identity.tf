# A role for each pod that calls AWS, by EKS Pod Identity.

locals {
  pods = {
    vpc-cni                  = { namespace = "kube-system", service_account = "aws-node" }
    ebs-csi                  = { namespace = "kube-system", service_account = "ebs-csi-controller-sa" }
    cloudwatch               = { namespace = "amazon-cloudwatch", service_account = "cloudwatch-agent" }
    events                   = { namespace = "amazon-cloudwatch", service_account = "fluent-bit-events" }
    load-balancer-controller = { namespace = "kube-system", service_account = "aws-load-balancer-controller" }
    cluster-autoscaler       = { namespace = "kube-system", service_account = "cluster-autoscaler" }
  }

  # AWS writes these for its own add-ons and changes them with their versions.
  managed_policies = {
    vpc-cni = "AmazonEKS_CNI_Policy"
    ebs-csi = "service-role/AmazonEBSCSIDriverPolicy"
  }

  own_policies = {
    cloudwatch               = data.aws_iam_policy_document.cloudwatch.json
    events                   = data.aws_iam_policy_document.events.json
    load-balancer-controller = data.aws_iam_policy_document.load_balancer_controller.json
    cluster-autoscaler       = data.aws_iam_policy_document.cluster_autoscaler.json
  }
}

# Pod Identity tags the session with the pod that it is for: without sts:TagSession nobody
# gets in, and by the tags no other pod of this or any cluster does.
data "aws_iam_policy_document" "pods_trust" {
  for_each = local.pods

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [each.value.namespace]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [each.value.service_account]
    }
  }
}

resource "aws_iam_role" "pods" {
  for_each = local.pods

  name               = "${var.name}-${each.key}"
  description        = "${each.value.namespace}/${each.value.service_account} in the cluster ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.pods_trust[each.key].json
}

resource "aws_iam_role_policy_attachment" "pods" {
  for_each = local.managed_policies

  role       = aws_iam_role.pods[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_role_policy" "pods" {
  for_each = local.own_policies

  name   = each.key
  role   = aws_iam_role.pods[each.key].id
  policy = each.value
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.pods

  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.pods[each.key].arn
}

# The agent and Fluent Bit. The groups /aws/containerinsights/<cluster>/{application,dataplane,
# host,performance} belong to observability. No order is needed between it and the cluster:
# without logs:CreateLogGroup the pods wait for a group that is not there yet, and do not bring
# one back that was destroyed before them.
data "aws_iam_policy_document" "cloudwatch" {
  statement {
    actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [
      "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/containerinsights/${var.name}/*"
    ]
  }

  statement {
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # it knows no smaller one

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = ["ContainerInsights"]
    }
  }

  # Names of the volumes and instances that metrics are about.
  statement {
    actions   = ["ec2:DescribeInstances", "ec2:DescribeTags", "ec2:DescribeVolumes"]
    resources = ["*"] # they know no smaller one
  }
}

# The Fluent Bit that sends the events of Kubernetes (deploy/observability/fluent-bit).
data "aws_iam_policy_document" "events" {
  statement {
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [
      "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/containerinsights/${var.name}/application:*"
    ]
  }
}
