resource "aws_kms_key" "this" {
  description             = "${var.name}: backups"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-backup"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_backup_vault" "this" {
  name          = var.name
  kms_key_arn   = aws_kms_key.this.arn
  force_destroy = var.force_destroy

  # AWS Backup deletes a backup as the role that took it: the role must outlive it.
  depends_on = [aws_iam_role_policy_attachment.backup]
}

# Governance mode: it can be lifted by whoever may. In compliance mode a wrong
# number of days could not be undone by anyone.
resource "aws_backup_vault_lock_configuration" "this" {
  count = var.lock_min_days > 0 ? 1 : 0

  backup_vault_name  = aws_backup_vault.this.name
  min_retention_days = var.lock_min_days
}

resource "aws_backup_vault_notifications" "this" {
  count = var.notifications == null ? 0 : 1

  backup_vault_name = aws_backup_vault.this.name
  sns_topic_arn     = var.notifications.topic_arn

  # COMPLETED is sent whatever the outcome, which is in the message. AWS has
  # deprecated the BACKUP_JOB_ and RESTORE_JOB_ events that end in FAILED.
  backup_vault_events = [
    "BACKUP_JOB_COMPLETED",
    "COPY_JOB_FAILED",
    "RESTORE_JOB_COMPLETED",
    "S3_BACKUP_OBJECT_FAILED",
    "S3_RESTORE_OBJECT_FAILED",
  ]
}
