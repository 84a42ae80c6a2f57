# How far an apply may go with identities: the roles of its environment, and no others.

locals {
  # What AWS attaches to roles of the modules. AdministratorAccess is not among them.
  managed_policies = [for name in [
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
    "AWSXrayWriteOnlyAccess",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "service-role/AWSLambdaVPCAccessExecutionRole",
    "service-role/AmazonEBSCSIDriverPolicy",
  ] : "arn:${local.partition}:iam::aws:policy/${name}"]

  # Who works as a role of the modules.
  passed_to = [
    "backup.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "lambda.amazonaws.com",
    "pods.eks.amazonaws.com",
    "s3.amazonaws.com",
    "scheduler.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
  ]

  # Who makes a role of its own at first use.
  linked = [
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "eks.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
    "restore-testing.backup.amazonaws.com",
    "wafv2.amazonaws.com",
  ]
}

data "aws_iam_policy_document" "identities" {
  for_each = var.environments

  statement {
    sid = "Roles"
    actions = [
      "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
    ]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "ListedPolicies"
    actions   = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/${local.prefix[each.key]}-*"]

    condition {
      test     = "ArnEquals"
      variable = "iam:PolicyARN"
      values   = local.managed_policies
    }
  }

  statement {
    sid       = "PassToServices"
    actions   = ["iam:PassRole"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/${local.prefix[each.key]}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = local.passed_to
    }
  }

  statement {
    sid       = "ServicesOwnRoles"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/aws-service-role/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = local.linked
    }
  }
}

resource "aws_iam_role_policy" "identities" {
  for_each = var.environments

  name   = "identities"
  role   = aws_iam_role.this["${each.key}-apply"].id
  policy = data.aws_iam_policy_document.identities[each.key].json
}

# What no workflow may do, whatever else it is given.
data "aws_iam_policy_document" "guard" {
  statement {
    sid    = "KeepIdentities"
    effect = "Deny"
    actions = [
      "iam:Add*", "iam:Attach*", "iam:Create*", "iam:Deactivate*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*", "iam:Remove*",
      "iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*",
    ]
    not_resources = concat(
      [for environment in var.environments : "arn:${local.partition}:iam::${local.account_id}:role/${local.prefix[environment]}-*"],
      ["arn:${local.partition}:iam::${local.account_id}:role/aws-service-role/*"],
    )
  }

  statement {
    sid       = "KeepBoundaries"
    effect    = "Deny"
    actions   = ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"]
    resources = ["*"]
  }

  # A role that an apply has made could trust the apply itself.
  statement {
    sid       = "StayInThisRole"
    effect    = "Deny"
    actions   = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoot"]
    resources = ["*"]
  }

  statement {
    sid    = "KeepStates"
    effect = "Deny"
    actions = [
      "s3:BypassGovernanceRetention", "s3:DeleteBucket*", "s3:DeleteObjectVersion", "s3:PutBucket*", "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
    ]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
  }

  statement {
    sid       = "KeepTheStatesKey"
    effect    = "Deny"
    actions   = ["kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
    resources = [aws_kms_key.state.arn]
  }

  statement {
    sid       = "KeepTheAccount"
    effect    = "Deny"
    actions   = ["account:*", "cloudtrail:Delete*", "cloudtrail:Put*", "cloudtrail:Stop*", "cloudtrail:Update*", "organizations:*"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "guard" {
  name        = "${var.name}-ci-guard"
  path        = "/ci/"
  description = "What no workflow may do"
  policy      = data.aws_iam_policy_document.guard.json
}

resource "aws_iam_role_policy_attachment" "guard" {
  for_each = local.roles

  role       = aws_iam_role.this[each.key].name
  policy_arn = aws_iam_policy.guard.arn
}
