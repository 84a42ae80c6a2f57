# One invocation is one run of one source. EventBridge Scheduler starts it; what cannot be
# delivered and what failed for good waits in one queue for `bourse redrive`.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  function_name = "${var.name}-ingest"
  account       = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
}

# Before the function, under the name that Lambda would use: else Lambda makes one without
# a key that is kept for ever.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.function_name}"
  kms_key_id        = var.logs.key_arn
  retention_in_days = var.logs.retention_days
}

resource "aws_lambda_function" "this" {
  function_name = local.function_name
  description   = "Brings one source up to date"
  role          = aws_iam_role.function.arn

  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = ["arm64"]
  memory_size   = 512
  timeout       = var.timeout

  # A plan needs no zip: its hash is compared where it has been built.
  filename          = var.package.path
  source_code_hash  = var.package.path == null ? null : fileexists(var.package.path) ? filebase64sha256(var.package.path) : null
  s3_bucket         = try(var.package.s3.bucket, null)
  s3_key            = try(var.package.s3.key, null)
  s3_object_version = try(var.package.s3.version, null)

  reserved_concurrent_executions = var.concurrency

  vpc_config {
    subnet_ids         = var.network.subnet_ids
    security_group_ids = [aws_security_group.this.id]
  }

  environment {
    variables = merge(var.settings, {
      BOURSE_DATABASE_URL     = "postgres://${var.database.user}@${var.database.address}:${var.database.port}/${var.database.name}?auth=iam&pool_max_conns=2"
      BOURSE_ARCHIVE_URL      = var.archive.url
      BOURSE_ALPHAVANTAGE_KEY = "awssecretsmanager://${aws_secretsmanager_secret.this["alphavantage-key"].arn}"
      SSL_CERT_DIR            = "/var/task/certificates" # of the package, beside what the system trusts: RDS's authorities
      GOMEMLIMIT              = "460MiB"                 # 90 % of the memory, or the collector begins too late
    })
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON" # Lambda's own lines too; the program's are JSON already and stay as they are
    log_group  = aws_cloudwatch_log_group.this.name
  }

  # Lambda tries out the role when it makes the function, and a run needs its rights at once.
  depends_on = [aws_iam_role_policy.function, aws_iam_role_policy.network]
}

# Scheduler hands an event over and does not wait, so that a failed run is Lambda's to repeat.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 1    # a source has the next schedule, too
  maximum_event_age_in_seconds = 3600 # an older run is of no use: a later one has done its work

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}
