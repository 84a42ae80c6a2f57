mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::here", region = "eu-central-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/here" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/bourse-test-archive-replication" }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::there", region = "eu-west-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/there" }
  }
}

variables {
  name = "bourse-test"
}

run "is_private" {
  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy &&
      aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets &&
      aws_s3_bucket_public_access_block.this.bucket == aws_s3_bucket.this.id
    )
    error_message = "Nothing may make the archive public."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "Access lists must be off: the policy alone says who may."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.this.statement :
      s.effect == "Deny" && s.actions == toset(["s3:*"]) && toset(s.resources) == toset(["arn:aws:s3:::here", "arn:aws:s3:::here/*"]) &&
      one(s.principals).type == "*" && one(s.condition).variable == "aws:SecureTransport" && tolist(one(s.condition).values) == tolist(["false"])
    if s.sid == "OnlyOverTLS"]) && contains(data.aws_iam_policy_document.this.statement[*].sid, "OnlyOverTLS")
    error_message = "Requests without TLS must be refused, to the bucket and to its objects."
  }

  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.this.statement : s.effect == "Deny"])
    error_message = "The policy must only refuse: what is allowed stands with the roles."
  }
}

run "encrypts_with_its_key_only" {
  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.this.arn &&
      one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled && aws_kms_key.this.enable_key_rotation
    )
    error_message = "Objects must be under the module's rotated key, with a bucket key."
  }

  # A write without headers gets the bucket's key, so the condition must be on the header's presence.
  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.this.statement :
      s.effect == "Deny" && contains(s.actions, "s3:PutObject") && length(s.condition) == 2 &&
      anytrue([for c in s.condition : c.test == "Null" && c.variable == "s3:x-amz-server-side-encryption" && one(c.values) == "false"]) &&
    anytrue([for c in s.condition : c.test == "StringNotEquals" && c.variable == "s3:x-amz-server-side-encryption-aws-kms-key-id" && one(c.values) == aws_kms_key.this.arn])])
    error_message = "A write that names an encryption must name the archive's key, and one that names none must pass."
  }

  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.this.statement :
    s.effect == "Deny" && anytrue([for c in s.condition : c.variable == "s3:x-amz-server-side-encryption-customer-algorithm" && one(c.values) == "false"])])
    error_message = "A write under a key that only the writer has must be refused: nobody else could ever read it."
  }

  assert {
    condition     = output.url == "s3://bourse-test-archive-123456789012?region=eu-central-1&ssetype=aws:kms&kmskeyid=arn%3Aaws%3Akms%3Aeu-central-1%3A123456789012%3Akey%2Fhere"
    error_message = "The URL must name the key: without it the program asks for AES256, which the policy refuses."
  }
}

run "keeps_what_was_written" {
  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled" && !aws_s3_bucket.this.force_destroy
    error_message = "Versions must be kept, and a destroy must stop at a bucket that is not empty."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.status == "Enabled" && alltrue([for e in rule.expiration : coalesce(e.days, 0) == 0 && e.date == null])])
    error_message = "No rule may delete an object's newest version: the archive is what the series are made from."
  }

  assert {
    condition = alltrue(flatten([for rule in aws_s3_bucket_lifecycle_configuration.this.rule :
    [for t in rule.transition : contains(["STANDARD_IA", "GLACIER_IR"], t.storage_class)]]))
    error_message = "Every tier must answer at once: replay and verify read them."
  }

  assert {
    condition     = anytrue([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : length(rule.abort_incomplete_multipart_upload) == 1])
    error_message = "Uploads that were broken off must be deleted: they are billed and seen by nobody."
  }

  assert {
    condition     = sum([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : sum(concat([0], [for n in rule.noncurrent_version_expiration : n.noncurrent_days]))]) == 180
    error_message = "Older versions must go after lifecycle_days.older_version."
  }
}

run "has_no_lock_and_no_copy_unasked" {
  assert {
    condition     = !aws_s3_bucket.this.object_lock_enabled && length(aws_s3_bucket_object_lock_configuration.this) == 0
    error_message = "Object Lock cannot be taken back, so it must be asked for."
  }

  assert {
    condition     = length(aws_s3_bucket.replica) + length(aws_kms_key.replica) + length(aws_iam_role.replication) + length(aws_s3_bucket_replication_configuration.this) == 0
    error_message = "Without replication nothing of it may be made."
  }

  assert {
    condition     = output.replica_bucket_arn == null
    error_message = "There is no second bucket to name."
  }
}

run "turns_the_lock_on_in_place" {
  variables {
    object_lock_days = 30
  }

  # The bucket of the runs before was made without the lock.
  assert {
    condition     = !aws_s3_bucket.this.object_lock_enabled && length(aws_s3_bucket_object_lock_configuration.this) == 1
    error_message = "A lock asked for later must come by its configuration: a change of the bucket's own setting replaces the bucket."
  }
}

run "locks_and_copies" {
  state_key = "locked" # a bucket that is made with the lock

  variables {
    object_lock_days = 30
    replicate        = true
  }

  assert {
    condition = (
      aws_s3_bucket.this.object_lock_enabled && aws_s3_bucket.replica[0].object_lock_enabled &&
      alltrue([for lock in [aws_s3_bucket_object_lock_configuration.this[0], aws_s3_bucket_object_lock_configuration.replica[0]] :
      one(one(lock.rule).default_retention).days == 30 && one(one(lock.rule).default_retention).mode == "GOVERNANCE"])
    )
    error_message = "Both buckets must lock versions for the days asked for; S3 copies no locked object into a bucket without locks."
  }

  assert {
    condition = alltrue([for rule in aws_s3_bucket_replication_configuration.this[0].rule :
      rule.status == "Enabled" && one(rule.destination).bucket == "arn:aws:s3:::there" &&
      one(one(rule.destination).encryption_configuration).replica_kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/there" &&
    one(one(rule.source_selection_criteria).sse_kms_encrypted_objects).status == "Enabled"])
    error_message = "Objects under KMS must be copied too, and be under the second region's key there; else nothing is copied at all."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_replication_configuration.this[0].rule : one(rule.delete_marker_replication).status == "Disabled"])
    error_message = "A deletion must not reach the copy."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.replica[0].block_public_acls && aws_s3_bucket_public_access_block.replica[0].block_public_policy &&
      aws_s3_bucket_public_access_block.replica[0].ignore_public_acls && aws_s3_bucket_public_access_block.replica[0].restrict_public_buckets &&
      one(aws_s3_bucket_ownership_controls.replica[0].rule).object_ownership == "BucketOwnerEnforced" &&
      one(aws_s3_bucket_versioning.replica[0].versioning_configuration).status == "Enabled" &&
      one(data.aws_iam_policy_document.replica[0].statement).condition != null &&
      one(one(data.aws_iam_policy_document.replica[0].statement).condition).variable == "aws:SecureTransport" &&
      aws_s3_bucket_policy.replica[0].bucket == aws_s3_bucket.replica[0].id
    )
    error_message = "The copy must be as private and as durable as the archive."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.replica[0].rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.replica[0].arn
    error_message = "The copy must be under a key of its own region."
  }

  assert {
    condition = toset(flatten([for s in data.aws_iam_policy_document.replication[0].statement : [for a in s.actions : [for r in s.resources : "${a} ${r}"]]])) == toset([
      "s3:GetReplicationConfiguration arn:aws:s3:::here",
      "s3:ListBucket arn:aws:s3:::here",
      "s3:GetObjectVersionForReplication arn:aws:s3:::here/*",
      "s3:GetObjectVersionAcl arn:aws:s3:::here/*",
      "s3:GetObjectVersionTagging arn:aws:s3:::here/*",
      "s3:GetObjectRetention arn:aws:s3:::here/*",
      "s3:GetObjectLegalHold arn:aws:s3:::here/*",
      "s3:ReplicateObject arn:aws:s3:::there/*",
      "s3:ReplicateTags arn:aws:s3:::there/*",
      "kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/here",
      "kms:Encrypt arn:aws:kms:eu-west-1:123456789012:key/there",
      "kms:GenerateDataKey arn:aws:kms:eu-west-1:123456789012:key/there",
    ])
    error_message = "The role must read here, write there, and delete nowhere."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.replication_trust[0].statement).principals).identifiers == toset(["s3.amazonaws.com"])
    error_message = "Only S3 may take the role."
  }
}

run "is_thrown_away_where_asked" {
  variables {
    force_destroy = true
    replicate     = true
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy && aws_s3_bucket.replica[0].force_destroy
    error_message = "Both buckets must go with a destroy."
  }
}

run "refuses_a_name_that_s3_refuses" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "Bourse_Test"
  }
}

run "refuses_to_lock_and_throw_away" {
  command         = plan
  expect_failures = [var.force_destroy]
  variables {
    force_destroy    = true
    object_lock_days = 30
  }
}

run "refuses_a_lock_of_part_of_a_day" {
  command         = plan
  expect_failures = [var.object_lock_days]
  variables {
    object_lock_days = 0.5
  }
}

run "refuses_tiers_before_s3_allows_them" {
  command         = plan
  expect_failures = [var.lifecycle_days]
  variables {
    lifecycle_days = { infrequent = 7 }
  }
}

run "refuses_to_delete_what_is_locked" {
  command         = plan
  expect_failures = [var.lifecycle_days]
  variables {
    object_lock_days = 200
    lifecycle_days   = { older_version = 100 }
  }
}
