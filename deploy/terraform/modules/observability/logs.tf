# The key of all log groups of the system.
data "aws_iam_policy_document" "log_key" {
  # Without it a key is nobody's: IAM decides who of the account may use and change it.
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"] # in a key's policy, this key

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${var.region}:${local.account}:log-group:*"]
    }
  }
}

resource "aws_kms_key" "logs" {
  description         = "Logs of ${var.name}"
  policy              = data.aws_iam_policy_document.log_key.json
  enable_key_rotation = true
}

resource "aws_kms_alias" "logs" {
  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs.id
}

# Where Container Insights and Fluent Bit write. The agents would make them, without a key
# and for ever, so they must be there first: see the output log_key_arn.
resource "aws_cloudwatch_log_group" "container_insights" {
  for_each = toset(["application", "dataplane", "host", "performance"])

  name              = "/aws/containerinsights/${var.cluster_name}/${each.key}"
  kms_key_id        = aws_kms_key.logs.arn
  retention_in_days = var.retention_days
}
