# What a plan reads: settings, not data. It sees no object of the archive, no secret's
# value, no log event.

data "aws_iam_policy_document" "read" {
  statement {
    sid = "Settings"
    actions = [
      "acm:DescribeCertificate", "acm:ListCertificates", "acm:ListTagsForCertificate",
      "autoscaling:Describe*",
      "backup:Describe*", "backup:Get*", "backup:List*",
      "budgets:ListTagsForResource", "budgets:ViewBudget",
      "cloudwatch:Describe*", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource",
      "ec2:Describe*", "ec2:GetLaunchTemplateData", "ec2:GetSecurityGroupsForVpc",
      "ecr:Describe*", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "ecr:ListTagsForResource",
      "eks:Describe*", "eks:List*",
      "elasticloadbalancing:Describe*",
      "events:DescribeRule", "events:List*",
      "iam:Get*", "iam:List*",
      "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListResourceTags",
      "lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConcurrency", "lambda:GetFunctionConfiguration",
      "lambda:GetFunctionEventInvokeConfig", "lambda:GetPolicy", "lambda:GetRuntimeManagementConfig", "lambda:List*",
      "logs:DescribeLogGroups", "logs:DescribeMetricFilters", "logs:DescribeResourcePolicies", "logs:DescribeSubscriptionFilters",
      "logs:ListTagsForResource",
      "rds:Describe*", "rds:ListTagsForResource",
      "route53:GetChange", "route53:GetHostedZone", "route53:ListHostedZones", "route53:ListResourceRecordSets", "route53:ListTagsForResource",
      "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
      "s3:GetReplicationConfiguration", "s3:ListBucket",
      "scheduler:Get*", "scheduler:List*",
      "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
      "sns:Get*", "sns:List*",
      "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags",
      "wafv2:Get*", "wafv2:List*",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "read" {
  name        = "${var.name}-ci-read"
  path        = "/ci/"
  description = "Reads settings, as a plan does"
  policy      = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "read" {
  for_each = local.roles

  role       = aws_iam_role.this[each.key].name
  policy_arn = aws_iam_policy.read.arn
}

# Each environment has one state. A plan reads it and holds its lock; only an apply writes it.
data "aws_iam_policy_document" "state" {
  for_each = local.roles

  statement {
    sid       = "Bucket"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "State"
    actions   = endswith(each.key, "-apply") ? ["s3:GetObject", "s3:PutObject"] : ["s3:GetObject"]
    resources = ["${aws_s3_bucket.state.arn}/${each.value.environment}/terraform.tfstate"]
  }

  statement {
    sid       = "Lock"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.state.arn}/${each.value.environment}/terraform.tfstate.tflock"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.state.arn]
  }
}

resource "aws_iam_role_policy" "state" {
  for_each = local.roles

  name   = "state"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.state[each.key].json
}
