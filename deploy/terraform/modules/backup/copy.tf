# Copies in the second region, under a key of that region: they can be restored when
# the first region, or the keys in it, are lost.

resource "aws_kms_key" "copy" {
  provider = aws.replica
  count    = var.keep_days.copy > 0 ? 1 : 0

  description             = "${var.name}: copies of backups"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "copy" {
  provider = aws.replica
  count    = var.keep_days.copy > 0 ? 1 : 0

  name          = "alias/${var.name}-backup-copy"
  target_key_id = aws_kms_key.copy[0].key_id
}

resource "aws_backup_vault" "copy" {
  provider = aws.replica
  count    = var.keep_days.copy > 0 ? 1 : 0

  name          = "${var.name}-copy"
  kms_key_arn   = aws_kms_key.copy[0].arn
  force_destroy = var.force_destroy

  depends_on = [aws_iam_role_policy_attachment.backup] # as with the first vault
}

resource "aws_backup_vault_lock_configuration" "copy" {
  provider = aws.replica
  count    = var.keep_days.copy > 0 && var.lock_min_days > 0 ? 1 : 0

  backup_vault_name  = aws_backup_vault.copy[0].name
  min_retention_days = var.lock_min_days
}
