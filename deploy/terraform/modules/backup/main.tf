resource "aws_backup_plan" "this" {
  name = var.name

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this.name
    schedule          = var.schedules.daily
    start_window      = 60  # minutes
    completion_window = 480 # minutes

    lifecycle {
      delete_after = var.keep_days.daily
    }

    dynamic "copy_action" {
      for_each = aws_backup_vault.copy
      content {
        destination_vault_arn = copy_action.value.arn

        lifecycle {
          delete_after = var.keep_days.copy
        }
      }
    }
  }

  rule {
    rule_name         = "monthly"
    target_vault_name = aws_backup_vault.this.name
    schedule          = var.schedules.monthly
    start_window      = 60
    completion_window = 480

    lifecycle {
      delete_after = var.keep_days.monthly
    }
  }
}

resource "aws_backup_selection" "this" {
  name         = var.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.backup.arn
  resources    = [var.database.arn, var.archive.bucket_arn]
}
