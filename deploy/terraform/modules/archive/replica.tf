# The copy in the second region: of every version, under a key of that region.
# Deletions are not copied, so that what is deleted here can be had from there.

resource "aws_kms_key" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  description             = "${local.bucket}-replica: payloads"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  name          = "alias/${var.name}-archive-replica"
  target_key_id = aws_kms_key.replica[0].key_id
}

resource "aws_s3_bucket" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket        = "${local.bucket}-replica"
  force_destroy = var.force_destroy

  object_lock_enabled = var.object_lock_days > 0 # S3 copies a lock only into a bucket that has locks

  depends_on = [aws_kms_key.replica] # as with the archive

  lifecycle {
    ignore_changes = [object_lock_enabled] # as with the archive
  }
}

resource "aws_s3_bucket_versioning" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "replica" {
  provider = aws.replica
  count    = var.replicate && var.object_lock_days > 0 ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.object_lock_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.replica]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.replica[0].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id

  rule {
    id     = "cold"
    status = "Enabled"
    filter {}

    # Nobody reads the copy until the first region is lost; then it must answer at once.
    transition {
      days          = var.lifecycle_days.infrequent
      storage_class = "GLACIER_IR"
    }

    noncurrent_version_expiration {
      noncurrent_days = var.lifecycle_days.older_version
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.replica]
}

data "aws_iam_policy_document" "replica" {
  count = var.replicate ? 1 : 0

  statement {
    sid       = "OnlyOverTLS"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.replica[0].arn, "${aws_s3_bucket.replica[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "replica" {
  provider = aws.replica
  count    = var.replicate ? 1 : 0

  bucket = aws_s3_bucket.replica[0].id
  policy = data.aws_iam_policy_document.replica[0].json

  depends_on = [aws_s3_bucket_public_access_block.replica]
}
