resource "aws_db_instance" "this" {
  identifier = var.name

  engine         = "postgres"
  engine_version = var.engine_version
  db_name        = "bourse"
  port           = 5432

  # The plan names the minor version that runs. RDS would upgrade behind it, and
  # the next plan would ask for a downgrade, which RDS refuses.
  auto_minor_version_upgrade  = false
  allow_major_version_upgrade = false

  # What restarts the database waits for the maintenance window.
  apply_immediately  = false
  maintenance_window = var.windows.maintenance

  instance_class        = var.instance_class
  multi_az              = var.multi_az
  storage_type          = "gp3"
  allocated_storage     = var.storage_gb.initial
  max_allocated_storage = var.storage_gb.limit
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn
  parameter_group_name  = aws_db_parameter_group.this.name
  ca_cert_identifier    = "rds-ca-rsa2048-g1"

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false

  # RDS makes the master's password, keeps it in Secrets Manager and rotates it
  # every seven days by itself. Programs sign in with IAM tokens instead.
  username                            = "bourse_admin"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = aws_kms_key.this.arn
  iam_database_authentication_enabled = true

  backup_retention_period   = var.backup_days
  backup_window             = var.windows.backup
  copy_tags_to_snapshot     = true
  delete_automated_backups  = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = local.final_snapshot

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = aws_kms_key.this.arn
  performance_insights_retention_period = 7

  enabled_cloudwatch_logs_exports = [for log in local.exported_logs : log]

  # RDS makes a group without key or retention for a log that has none, so ours
  # come first, and go after the instance that writes to them.
  depends_on = [aws_cloudwatch_log_group.this]
}

locals {
  # The key is as old as the database: so the name stays the same from plan to
  # plan, and differs from the snapshot of a database that had this name before.
  final_snapshot = "${var.name}-final-${lower(substr(aws_kms_key.this.key_id, 0, 8))}"
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: database, its snapshots, master secret and Performance Insights"
  enable_key_rotation     = true
  deletion_window_in_days = 30 # the time to copy a final snapshot to another key
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-database"
  target_key_id = aws_kms_key.this.key_id
}
