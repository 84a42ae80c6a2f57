mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bourse-test/alphavantage-key-AbCdEf" }
  }
}

variables {
  name    = "bourse-test"
  region  = "eu-central-1"
  package = { path = "no-such.zip" }
  network = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2", "subnet-3"] }
  database = {
    address           = "db.example.com"
    user              = "bourse_ingest"
    resource_id       = "db-X"
    security_group_id = "sg-database"
  }
  archive = { url = "s3://archive?region=eu-central-1", bucket_arn = "arn:aws:s3:::archive", key_arn = "arn:aws:kms:eu-central-1:123456789012:key/archive" }
  schedules = {
    ecb          = { expression = "cron(0/10 14-18 * * ? *)", timezone = "Europe/Berlin" }
    coinbase     = { expression = "rate(5 minutes)" }
    alphavantage = { expression = "cron(20 0/4 * * ? *)" }
  }
  logs = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 30 }
}

run "function" {
  assert {
    condition = (
      aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.handler == "bootstrap" &&
      aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.memory_size == 512
    )
    error_message = "The zip holds an arm64 program named bootstrap."
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && aws_lambda_function.this.reserved_concurrent_executions == 3
    error_message = "Runs must be traced, and bounded by what the database has connections for."
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables["BOURSE_DATABASE_URL"] == "postgres://bourse_ingest@db.example.com:5432/bourse?auth=iam&pool_max_conns=2" &&
      aws_lambda_function.this.environment[0].variables["BOURSE_ARCHIVE_URL"] == "s3://archive?region=eu-central-1"
    )
    error_message = "The program's settings must name the store and the archive, without a password, and few connections for each of many runs."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["SSL_CERT_DIR"] == "/var/task/certificates"
    error_message = "The program must find RDS's authorities where `make lambda` puts them into the package."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["BOURSE_ALPHAVANTAGE_KEY"] == "awssecretsmanager://${output.secret_arns["alphavantage-key"]}"
    error_message = "The key must be named by its secret, not be in the state."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/aws/lambda/${aws_lambda_function.this.function_name}" &&
      aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name &&
      aws_cloudwatch_log_group.this.kms_key_id == var.logs.key_arn && aws_cloudwatch_log_group.this.retention_in_days == 30
    )
    error_message = "Logs must go to a group that has a key and an end."
  }

  assert {
    condition = (
      toset(aws_lambda_function.this.vpc_config[0].subnet_ids) == toset(var.network.subnet_ids) &&
      toset(aws_lambda_function.this.vpc_config[0].security_group_ids) == toset([aws_security_group.this.id])
    )
    error_message = "The function must be in all private subnets, in its own security group."
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443 &&
      aws_vpc_security_group_egress_rule.database.from_port == 5432 && aws_vpc_security_group_egress_rule.database.to_port == 5432 &&
      aws_vpc_security_group_egress_rule.database.referenced_security_group_id == "sg-database" &&
      aws_vpc_security_group_egress_rule.database.cidr_ipv4 == null
    )
    error_message = "The function reaches HTTPS and the database, nothing else."
  }

  # schedules

  assert {
    condition     = toset(keys(aws_scheduler_schedule.source)) == toset(["ecb", "coinbase", "alphavantage"])
    error_message = "Each source needs its schedule."
  }

  assert {
    condition = alltrue([for source, s in aws_scheduler_schedule.source :
      jsondecode(s.target[0].input) == { source = source, window = "", reason = "schedule" } && s.target[0].arn == aws_lambda_function.this.arn
    ])
    error_message = "The event must be the one that cmd/ingest-lambda reads."
  }

  assert {
    condition     = aws_scheduler_schedule.source["ecb"].schedule_expression_timezone == "Europe/Berlin"
    error_message = "The ECB publishes by Frankfurt's clock, in summer too."
  }

  assert {
    condition = alltrue([for s in aws_scheduler_schedule.source :
      s.target[0].retry_policy[0].maximum_retry_attempts > 0 && s.target[0].retry_policy[0].maximum_event_age_in_seconds <= 3600 &&
      s.target[0].dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn
    ])
    error_message = "An event that cannot be delivered must be tried again, and end in the queue while it is of use."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination == aws_sqs_queue.dead_letters.arn &&
      aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 1
    )
    error_message = "A run that fails must be tried again and end in the queue."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "Dead letters must be encrypted and wait for 14 days."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["alphavantage-key"].recovery_window_in_days == 30 && aws_secretsmanager_secret.this["alphavantage-key"].kms_key_id == aws_kms_key.secrets.arn
    error_message = "A secret that was deleted by mistake must be there for 30 days, and it needs the key that its readers may use."
  }

  # rights

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.scheduler_trust.statement :
      toset([for c in s.condition : c.variable]) == toset(["aws:SourceAccount", "aws:SourceArn"])
    ])
    error_message = "Only schedules of our group may take the role: any account's Scheduler is the same principal."
  }

  assert {
    condition = toset(flatten([for d in [data.aws_iam_policy_document.function, data.aws_iam_policy_document.network] : [for s in d.statement :
      s.actions if contains(s.resources, "*") && s.effect != "Deny"
      ]])) == toset([
      "xray:PutTraceSegments", "xray:PutTelemetryRecords", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    ])
    error_message = "Only what AWS knows no resources for may be on *."
  }

  assert {
    condition = alltrue(flatten([for d in [data.aws_iam_policy_document.function, data.aws_iam_policy_document.network, data.aws_iam_policy_document.scheduler] :
      [for s in d.statement : [for a in s.actions : !strcontains(a, "*")]]
    ]))
    error_message = "Actions must be named one by one."
  }

  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.network.statement : s.effect == "Deny" &&
      anytrue([for c in s.condition : c.variable == "lambda:SourceFunctionArn" &&
      contains(c.values, "arn:aws:lambda:eu-central-1:123456789012:function:${aws_lambda_function.this.function_name}")])
    ])
    error_message = "Rights to network interfaces are Lambda's, not the program's."
  }

  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.function.statement : s.sid == "Database" &&
      toset(s.resources) == toset(["arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-X/bourse_ingest"])
    ])
    error_message = "The function may connect as its own user only."
  }
}

run "takes_a_package_in_s3_and_settings" {
  command = plan
  variables {
    package              = { s3 = { bucket = "packages", key = "ingest-lambda.zip", version = "7" } }
    settings             = { BOURSE_LOG_LEVEL = "DEBUG" }
    secret_recovery_days = 0
    concurrency          = -1
  }

  assert {
    condition = (
      aws_lambda_function.this.s3_bucket == "packages" && aws_lambda_function.this.s3_object_version == "7" && aws_lambda_function.this.filename == null
    )
    error_message = "The package must come from the bucket."
  }
}

run "refuses_what_is_wrong" {
  command = plan
  variables {
    name                 = "b"
    region               = "Frankfurt"
    package              = {}
    network              = { vpc_id = "vpc-1", subnet_ids = ["subnet-1"] }
    schedules            = { ecb = { expression = "*/10 14-18 * * 1-5" } }
    timeout              = 1000
    concurrency          = 0
    settings             = { BOURSE_ALPHAVANTAGE_KEY = "in the clear" }
    secret_recovery_days = 3
    logs                 = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 0 }
  }
  expect_failures = [
    var.name, var.region, var.package, var.network, var.schedules, var.timeout, var.concurrency, var.settings, var.secret_recovery_days, var.logs,
  ]
}

run "refuses_a_source_that_does_not_exist_and_two_packages" {
  command = plan
  variables {
    package   = { path = "x.zip", s3 = { bucket = "packages", key = "ingest-lambda.zip" } }
    schedules = { nasdaq = { expression = "rate(5 minutes)" } }
  }
  expect_failures = [var.package, var.schedules]
}
