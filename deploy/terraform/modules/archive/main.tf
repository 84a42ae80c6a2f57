data "aws_caller_identity" "current" {}

locals {
  # Names of buckets are shared by all the accounts of AWS.
  bucket = "${var.name}-archive-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket" "this" {
  bucket        = local.bucket
  force_destroy = var.force_destroy

  object_lock_enabled = var.object_lock_days > 0

  # A destroy stops at a bucket with objects in it. The key comes after the
  # bucket then, and what was kept stays readable.
  depends_on = [aws_kms_key.this]

  lifecycle {
    # To change it would replace the bucket. The lock's configuration turns it on
    # in a bucket that is there, and it can never be turned off.
    ignore_changes = [object_lock_enabled]
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  count = var.object_lock_days > 0 ? 1 : 0

  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      # In this mode a person with s3:BypassGovernanceRetention can still delete;
      # in the other not even AWS can, whatever was written by mistake.
      mode = "GOVERNANCE"
      days = var.object_lock_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this] # S3 locks versions only
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "tiers"
    status = "Enabled"
    filter {}

    # Both tiers answer at once, as replay and verify need. S3 leaves objects under
    # 128 KB where they are: they would cost more there.
    transition {
      days          = var.lifecycle_days.infrequent
      storage_class = "STANDARD_IA"
    }

    transition {
      days          = var.lifecycle_days.cold
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "older-versions"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.lifecycle_days.older_version
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "incomplete-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this] # before it there are no older versions
}
