mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/here" }
  }

  mock_resource "aws_backup_vault" {
    defaults = { arn = "arn:aws:backup:eu-central-1:123456789012:backup-vault:here" }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/there" }
  }

  mock_resource "aws_backup_vault" {
    defaults = { arn = "arn:aws:backup:eu-west-1:123456789012:backup-vault:there" }
  }
}

variables {
  name = "bourse-test"
  database = {
    arn               = "arn:aws:rds:eu-central-1:123456789012:db:bourse-test"
    subnet_group_name = "bourse-test"
    security_group_id = "sg-database"
  }
  archive   = { bucket_arn = "arn:aws:s3:::bourse-test-archive" }
  keep_days = { daily = 35, monthly = 365, copy = 20 }
}

run "backs_up_both" {
  assert {
    condition     = toset(aws_backup_selection.this.resources) == toset([var.database.arn, var.archive.bucket_arn])
    error_message = "The plan must name the database and the archive: neither can be made again from the other."
  }

  assert {
    condition     = { for rule in aws_backup_plan.this.rule : rule.rule_name => one(rule.lifecycle).delete_after } == { daily = 35, monthly = 365 }
    error_message = "Backups must be kept for the days asked for."
  }

  assert {
    condition     = alltrue([for rule in aws_backup_plan.this.rule : rule.target_vault_name == aws_backup_vault.this.name && rule.completion_window > rule.start_window])
    error_message = "Each rule must write to the vault and leave time to do so."
  }

  assert {
    condition     = aws_backup_vault.this.kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/here" && aws_kms_key.this.enable_key_rotation
    error_message = "The vault must be under the module's rotated key."
  }
}

run "copies_to_the_second_region" {
  assert {
    condition = jsonencode({ for rule in aws_backup_plan.this.rule : rule.rule_name => [
      for copy in rule.copy_action : "${copy.destination_vault_arn} ${one(copy.lifecycle).delete_after}"
    ] }) == jsonencode({ daily = ["arn:aws:backup:eu-west-1:123456789012:backup-vault:there 20"], monthly = [] })
    error_message = "Each daily backup must be copied to the vault in the second region, for the days asked for."
  }

  assert {
    condition     = aws_backup_vault.copy[0].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/there" && aws_kms_key.copy[0].enable_key_rotation
    error_message = "The copies must be under a key of their own region: the first region's is lost with it."
  }
}

run "keeps_the_roles_apart" {
  assert {
    condition = toset([for a in aws_iam_role_policy_attachment.backup : a.policy_arn]) == toset([
      "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
      "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup",
    ]) && alltrue([for a in aws_iam_role_policy_attachment.backup : a.role == aws_iam_role.backup.name])
    error_message = "The role that takes backups must not restore."
  }

  assert {
    condition = toset([for a in aws_iam_role_policy_attachment.restore : a.policy_arn]) == toset([
      "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores",
      "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Restore",
    ]) && alltrue([for a in aws_iam_role_policy_attachment.restore : a.role == aws_iam_role.restore.name])
    error_message = "The role that restores must not delete backups."
  }

  assert {
    condition     = aws_backup_selection.this.iam_role_arn == aws_iam_role.backup.arn
    error_message = "The plan must work as the role that takes backups."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.trust.statement).principals).identifiers == toset(["backup.amazonaws.com"])
    error_message = "Only AWS Backup may take the roles."
  }
}

run "does_nothing_unasked" {
  assert {
    condition     = length(aws_backup_restore_testing_plan.this) + length(aws_backup_vault_lock_configuration.this) + length(aws_backup_vault_notifications.this) == 0
    error_message = "Tests, locks and notifications must be asked for."
  }

  assert {
    condition     = !aws_backup_vault.this.force_destroy && !aws_backup_vault.copy[0].force_destroy
    error_message = "A destroy must stop at backups, unless they are to be thrown away."
  }
}

run "copies_nothing_where_not_asked" {
  variables {
    keep_days = { daily = 7, monthly = 32, copy = 0 }
  }

  assert {
    condition     = length(aws_backup_vault.copy) + length(aws_kms_key.copy) == 0 && alltrue([for rule in aws_backup_plan.this.rule : length(rule.copy_action) == 0]) && output.copy_vault_arn == null
    error_message = "Without copies there must be no vault for them."
  }
}

run "tests_the_restore" {
  variables {
    restore_testing = { instance_class = "db.t4g.medium" }
  }

  assert {
    condition = alltrue([for plan in aws_backup_restore_testing_plan.this : alltrue([for s in plan.recovery_point_selection :
      s.algorithm == "LATEST_WITHIN_WINDOW" && s.include_vaults == toset(["arn:aws:backup:eu-central-1:123456789012:backup-vault:here"]) &&
    s.recovery_point_types == toset(["SNAPSHOT"])])]) && length(aws_backup_restore_testing_plan.this) == 1
    error_message = "The newest backup of this vault must be restored."
  }

  assert {
    condition     = can(regex("^[A-Za-z0-9_]{1,50}$", aws_backup_restore_testing_plan.this[0].name)) && can(regex("^[A-Za-z0-9_]{1,50}$", aws_backup_restore_testing_selection.database[0].name))
    error_message = "AWS takes letters, digits and underscores in these names."
  }

  assert {
    condition = (
      aws_backup_restore_testing_selection.database[0].protected_resource_type == "RDS" &&
      aws_backup_restore_testing_selection.database[0].protected_resource_arns == toset([var.database.arn]) &&
      aws_backup_restore_testing_selection.archive[0].protected_resource_type == "S3" &&
      aws_backup_restore_testing_selection.archive[0].protected_resource_arns == toset([var.archive.bucket_arn]) &&
      aws_backup_restore_testing_selection.database[0].iam_role_arn == aws_iam_role.restore.arn &&
      aws_backup_restore_testing_selection.archive[0].iam_role_arn == aws_iam_role.restore.arn
    )
    error_message = "Database and archive must both be tried, as the role that restores."
  }

  assert {
    condition = (
      aws_backup_restore_testing_selection.database[0].restore_metadata_overrides.dbSubnetGroupName == "bourse-test" &&
      aws_backup_restore_testing_selection.database[0].restore_metadata_overrides.vpcSecurityGroupIds == "[\"sg-database\"]" &&
      aws_backup_restore_testing_selection.database[0].restore_metadata_overrides.publiclyAccessible == "false"
    )
    error_message = "The restored database must stand where the real one stands, not in the default VPC."
  }
}

run "locks_both_vaults" {
  variables {
    lock_min_days = 14
  }

  assert {
    condition = alltrue([for lock in [aws_backup_vault_lock_configuration.this[0], aws_backup_vault_lock_configuration.copy[0]] :
    lock.min_retention_days == 14 && lock.changeable_for_days == null])
    error_message = "Both vaults must be locked, in the mode that can be lifted: the other can never be."
  }
}

run "tells_how_jobs_end" {
  variables {
    notifications = { topic_arn = "arn:aws:sns:eu-central-1:123456789012:bourse-test" }
  }

  assert {
    condition = (
      contains(aws_backup_vault_notifications.this[0].backup_vault_events, "BACKUP_JOB_COMPLETED") && contains(aws_backup_vault_notifications.this[0].backup_vault_events, "COPY_JOB_FAILED") &&
      length(setintersection(aws_backup_vault_notifications.this[0].backup_vault_events, ["BACKUP_JOB_FAILED", "RESTORE_JOB_FAILED", "BACKUP_JOB_SUCCESSFUL"])) == 0
    )
    error_message = "The events must be those that AWS still sends."
  }
}

run "refuses_a_name_that_aws_refuses" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "bourse_test"
  }
}

run "refuses_a_schedule_of_cron" {
  command         = plan
  expect_failures = [var.schedules]
  variables {
    schedules = { daily = "30 4 * * *" }
  }
}

run "refuses_to_keep_nothing" {
  command         = plan
  expect_failures = [var.keep_days]
  variables {
    keep_days = { daily = 0, monthly = 365, copy = 0 }
  }
}

run "refuses_a_month_without_a_backup" {
  command         = plan
  expect_failures = [var.keep_days]
  variables {
    keep_days = { daily = 7, monthly = 30, copy = 0 }
  }
}

run "refuses_a_lock_that_refuses_backups" {
  command         = plan
  expect_failures = [var.lock_min_days]
  variables {
    lock_min_days = 21
  }
}

run "refuses_to_lock_and_throw_away" {
  command         = plan
  expect_failures = [var.lock_min_days]
  variables {
    lock_min_days = 7
    force_destroy = true
  }
}

run "refuses_a_type_of_ec2" {
  command         = plan
  expect_failures = [var.restore_testing]
  variables {
    restore_testing = { instance_class = "t4g.medium" }
  }
}
