# Two roles, so that what takes backups cannot write over what it backs up. AWS keeps
# their policies in step with what AWS Backup calls; a list of ours that lags behind
# would be found out by a restore that fails.

data "aws_partition" "current" {}

locals {
  managed_policies = "arn:${data.aws_partition.current.partition}:iam::aws:policy"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "backup" {
  name               = "${var.name}-backup"
  description        = "Lets AWS Backup back up the database and the archive"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "backup" {
  for_each = {
    resources = "service-role/AWSBackupServiceRolePolicyForBackup"
    buckets   = "AWSBackupServiceRolePolicyForS3Backup"
  }

  role       = aws_iam_role.backup.name
  policy_arn = "${local.managed_policies}/${each.value}"
}

resource "aws_iam_role" "restore" {
  name               = "${var.name}-restore"
  description        = "Lets AWS Backup restore, for a person or a test"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "restore" {
  for_each = {
    resources = "service-role/AWSBackupServiceRolePolicyForRestores"
    buckets   = "AWSBackupServiceRolePolicyForS3Restore"
  }

  role       = aws_iam_role.restore.name
  policy_arn = "${local.managed_policies}/${each.value}"
}
