# AWS Backup restores the newest backups under names that begin with
# awsbackup-restore-test-, notes whether it worked and how long it took, and deletes them.

resource "aws_backup_restore_testing_plan" "this" {
  count = var.restore_testing == null ? 0 : 1

  name                = local.restore_testing_name
  schedule_expression = var.restore_testing.schedule
  start_window_hours  = 1

  recovery_point_selection {
    algorithm             = "LATEST_WITHIN_WINDOW"
    include_vaults        = [aws_backup_vault.this.arn]
    recovery_point_types  = ["SNAPSHOT"]
    selection_window_days = 7
  }
}

locals {
  restore_testing_name = replace(var.name, "-", "_") # AWS takes no hyphens here
}

resource "aws_backup_restore_testing_selection" "database" {
  count = var.restore_testing == null ? 0 : 1

  name                      = "${local.restore_testing_name}_database"
  restore_testing_plan_name = aws_backup_restore_testing_plan.this[0].name
  iam_role_arn              = aws_iam_role.restore.arn
  protected_resource_type   = "RDS"
  protected_resource_arns   = [var.database.arn]

  # Left to itself AWS Backup restores into the default VPC, which need not be there.
  restore_metadata_overrides = {
    dbInstanceClass     = var.restore_testing.instance_class
    dbSubnetGroupName   = var.database.subnet_group_name
    vpcSecurityGroupIds = jsonencode([var.database.security_group_id])
    multiAz             = "false"
    publiclyAccessible  = "false"
  }
}

resource "aws_backup_restore_testing_selection" "archive" {
  count = var.restore_testing == null ? 0 : 1

  name                      = "${local.restore_testing_name}_archive"
  restore_testing_plan_name = aws_backup_restore_testing_plan.this[0].name
  iam_role_arn              = aws_iam_role.restore.arn
  protected_resource_type   = "S3"
  protected_resource_arns   = [var.archive.bucket_arn]
}
