# What the pods of the chart may do on AWS. Each role has the calls that its program makes and
# no other: web calls nothing, so it has no role.

locals {
  partition = split(":", var.cluster.arn)[1]
  region    = split(":", var.cluster.arn)[3]
  account   = split(":", var.cluster.arn)[4]

  policies = {
    api     = data.aws_iam_policy_document.api.json
    ingest  = data.aws_iam_policy_document.ingest.json
    migrate = data.aws_iam_policy_document.migrate.json
  }

  # A token is for one user of one instance.
  users = { for component, user in var.database.users : component => "arn:${local.partition}:rds-db:${local.region}:${local.account}:dbuser:${var.database.resource_id}/${user}" }
}

# Pod Identity tags the session with the pod that it is for: without sts:TagSession nobody
# gets in, and by the tags no other pod of this or any cluster does.
data "aws_iam_policy_document" "trust" {
  for_each = local.users

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
      values   = [var.cluster.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [var.namespace]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = ["bourse-${each.key}"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.users

  name               = "${var.name}-pod-${each.key}" # the Lambda function has the name without -pod
  description        = "${var.namespace}/bourse-${each.key} in the cluster ${var.cluster.name}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = each.value
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.policies

  cluster_name    = var.cluster.name
  namespace       = var.namespace
  service_account = "bourse-${each.key}"
  role_arn        = aws_iam_role.this[each.key].arn
}
