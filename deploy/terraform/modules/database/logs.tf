locals {
  exported_logs = toset(["postgresql", "upgrade"])
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.exported_logs

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  kms_key_id        = var.logs.key_arn
  retention_in_days = var.logs.retention_days
}
