# api shows payloads by their hash, which the database knows: it lists nothing, and reads no
# receipts. Without s3:ListBucket a missing object answers 403 and not 404, which api takes for
# the same: the archive does not answer.
data "aws_iam_policy_document" "api" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${var.archive.bucket_arn}/*/objects/*"]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [var.archive.key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }

  statement {
    actions   = ["rds-db:connect"]
    resources = [local.users.api]
  }
}

# ingest only adds to the archive, where nothing is there yet, and reads nothing back. Payloads
# from 8 MiB go up in parts: those that are left of a failed upload are aborted, and KMS must
# decrypt the parts to join them.
data "aws_iam_policy_document" "ingest" {
  statement {
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${var.archive.bucket_arn}/*"]
  }

  statement {
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [var.archive.key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }

  statement {
    actions   = ["rds-db:connect"]
    resources = [local.users.ingest]
  }

  dynamic "statement" {
    for_each = var.secrets[*]

    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value.arns
    }
  }

  dynamic "statement" {
    for_each = var.secrets[*]

    content {
      actions   = ["kms:Decrypt"]
      resources = [statement.value.key_arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${local.region}.amazonaws.com"]
      }
    }
  }
}

data "aws_iam_policy_document" "migrate" {
  statement {
    actions   = ["rds-db:connect"]
    resources = [local.users.migrate]
  }
}
