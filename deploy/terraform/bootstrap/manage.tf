# What an apply changes. Where AWS has names in its ARNs, an apply reaches only those of
# its environment; where it has IDs, the actions that the modules need, in the two regions.

locals {
  prefix = { for environment in var.environments : environment => "${var.name}-${environment}" }
}

data "aws_iam_policy_document" "manage" {
  for_each = var.environments

  statement {
    sid = "Named"
    actions = [
      "backup:*", "cloudwatch:*", "ecr:*", "eks:*", "elasticloadbalancing:*", "events:*", "lambda:*", "logs:*",
      "rds:*", "s3:*", "scheduler:*", "secretsmanager:*", "sns:*", "sqs:*", "wafv2:*",
    ]
    resources = concat(
      [for resource in [
        "backup:*:ID:backup-vault:NAME*",
        "cloudwatch::ID:dashboard/NAME*",
        "cloudwatch:*:ID:alarm:NAME*",
        "ecr:*:ID:repository/NAME/*",
        "eks:*:ID:*/NAME", # the cluster itself
        "eks:*:ID:*/NAME/*",
        "elasticloadbalancing:*:ID:listener*/app/NAME*",
        "elasticloadbalancing:*:ID:loadbalancer/app/NAME*",
        "elasticloadbalancing:*:ID:targetgroup/NAME*",
        "events:*:ID:rule/NAME*",
        "lambda:*:ID:function:NAME*",
        "logs:*:ID:log-group:*NAME*",
        "rds:*:ID:*:NAME*",
        "s3:::NAME-*",
        "scheduler:*:ID:*/NAME*",
        "secretsmanager:*:ID:secret:NAME*",
        "sns:*:ID:NAME*",
        "sqs:*:ID:NAME*",
        "wafv2:*:ID:regional/webacl/NAME*",
      ] : "arn:${local.partition}:${replace(replace(resource, "ID", local.account_id), "NAME", local.prefix[each.key])}"],
      ["arn:${local.partition}:wafv2:*:${local.account_id}:regional/managedruleset/*"], # a web ACL is made with AWS's rule sets
    )
  }

  statement {
    sid = "WithIDs"
    actions = [
      "autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags",
      "backup:CreateBackupPlan", "backup:CreateBackupSelection", "backup:CreateRestoreTesting*", "backup:DeleteBackupPlan",
      "backup:DeleteBackupSelection", "backup:DeleteRecoveryPoint", "backup:DeleteRestoreTesting*", "backup:TagResource",
      "backup:UntagResource", "backup:UpdateBackupPlan", "backup:UpdateRestoreTesting*", "backup-storage:MountCapsule",
      "ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:AuthorizeSecurityGroup*",
      "ec2:CreateFlowLogs", "ec2:CreateInternetGateway", "ec2:CreateLaunchTemplate*", "ec2:CreateNatGateway", "ec2:CreateNetworkAcl*",
      "ec2:CreateRoute*", "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpc*",
      "ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteLaunchTemplate*", "ec2:DeleteNatGateway", "ec2:DeleteNetworkAcl*",
      "ec2:DeleteNetworkInterface", "ec2:DeleteRoute*", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc*",
      "ec2:DetachInternetGateway", "ec2:DetachNetworkInterface", "ec2:DisassociateAddress", "ec2:DisassociateRouteTable",
      "ec2:ModifyLaunchTemplate", "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute", "ec2:ModifyVpc*",
      "ec2:ReleaseAddress", "ec2:ReplaceRoute*", "ec2:RevokeSecurityGroup*", "ec2:RunInstances", "ec2:UpdateSecurityGroupRule*",
      "elasticloadbalancing:SetWebACL",
      "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DeleteResourcePolicy", "logs:GetLogDelivery", "logs:ListLogDeliveries",
      "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
      "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:*LoggingConfiguration",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region, var.replica_region]
    }
  }

  # RDS makes the master's secret in the name of who makes the database. To read it is not needed.
  statement {
    sid       = "MasterSecrets"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]
    resources = ["arn:${local.partition}:secretsmanager:*:${local.account_id}:secret:rds!db-*"]
  }

  # They have no region of ours.
  statement {
    sid       = "Global"
    actions   = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource", "route53:ChangeResourceRecordSets"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "manage" {
  for_each = var.environments

  name        = "${local.prefix[each.key]}-ci-manage"
  path        = "/ci/"
  description = "Changes what belongs to ${each.key}"
  policy      = data.aws_iam_policy_document.manage[each.key].json
}

resource "aws_iam_role_policy_attachment" "manage" {
  for_each = var.environments

  role       = aws_iam_role.this["${each.key}-apply"].name
  policy_arn = aws_iam_policy.manage[each.key].arn
}

data "aws_iam_policy_document" "keys" {
  statement {
    sid = "Keys"
    actions = [
      "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateKey", "kms:DeleteAlias", "kms:EnableKeyRotation", "kms:PutKeyPolicy",
      "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region, var.replica_region]
    }
  }

  # RDS, EKS, Lambda and others take a key into use in the name of who asks them to.
  statement {
    sid       = "KeysForServices"
    actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values = flatten([for region in [var.region, var.replica_region] : [
        for service in ["backup", "eks", "lambda", "rds", "secretsmanager", "sns", "sqs"] : "${service}.${region}.amazonaws.com"
      ]])
    }
  }

  # EKS and AWS Backup ask with the caller's own request, without a service between.
  statement {
    sid       = "GrantsForServices"
    actions   = ["kms:CreateGrant"]
    resources = ["*"]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_policy" "keys" {
  name        = "${var.name}-ci-keys"
  path        = "/ci/"
  description = "Makes and retires the keys of the environments"
  policy      = data.aws_iam_policy_document.keys.json
}

resource "aws_iam_role_policy_attachment" "keys" {
  for_each = var.environments

  role       = aws_iam_role.this["${each.key}-apply"].name
  policy_arn = aws_iam_policy.keys.arn
}
