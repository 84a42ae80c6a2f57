# The entries only. Values are put by hand and are in no state:
#   aws secretsmanager put-secret-value --secret-id <name>/alphavantage-key --secret-string file:///dev/stdin
resource "aws_kms_key" "secrets" {
  description         = "Secrets of ${var.name}"
  enable_key_rotation = true
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-secrets"
  target_key_id = aws_kms_key.secrets.id
}

resource "aws_secretsmanager_secret" "this" {
  for_each = {
    alphavantage-key = "The API key of Alpha Vantage"
  }

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = aws_kms_key.secrets.arn
  recovery_window_in_days = var.secret_recovery_days
}
