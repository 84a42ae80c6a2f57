mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/1234ABCD-12ab-34cd-56ef-1234567890ab", key_id = "1234ABCD-12ab-34cd-56ef-1234567890ab" }
  }

  mock_resource "aws_db_instance" {
    defaults = { master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1" }] }
  }
}

variables {
  name           = "bourse-test"
  network        = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2", "subnet-3"] }
  clients        = { nodes = "sg-nodes", ingest = "sg-ingest" }
  instance_class = "db.t4g.medium"
  storage_gb     = { initial = 50, limit = 200 }
  multi_az       = true
  backup_days    = 14
  logs           = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/logs", retention_days = 30 }
}

run "lets_in_its_clients_only" {
  assert {
    condition = (
      tomap({ for name, rule in aws_vpc_security_group_ingress_rule.client : name => rule.referenced_security_group_id }) == var.clients &&
      alltrue([for rule in aws_vpc_security_group_ingress_rule.client :
      rule.from_port == 5432 && rule.to_port == 5432 && rule.ip_protocol == "tcp" && rule.cidr_ipv4 == null && rule.cidr_ipv6 == null])
    )
    error_message = "The clients' security groups must be let in on 5432, and no address and no other port."
  }

  assert {
    condition     = length(aws_security_group.this.egress) == 0 && length(aws_security_group.this.ingress) == 0
    error_message = "The security group itself must open nothing, least of all outwards."
  }

  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.vpc_security_group_ids == toset([aws_security_group.this.id])
    error_message = "The database must have no public address and only its own security group."
  }

  assert {
    condition     = aws_db_instance.this.db_subnet_group_name == aws_db_subnet_group.this.name && length(aws_db_subnet_group.this.subnet_ids) == 3
    error_message = "The database must stand in the database subnets."
  }
}

run "encrypts_with_its_key" {
  assert {
    condition = (
      aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == aws_kms_key.this.arn &&
      aws_db_instance.this.performance_insights_kms_key_id == aws_kms_key.this.arn &&
      aws_db_instance.this.master_user_secret_kms_key_id == aws_kms_key.this.arn
    )
    error_message = "Storage, Performance Insights and the master's secret must be under the module's key."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "The key must be rotated, and leave a month in which its deletion can be called off."
  }

  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "rds.force_ssl"]) == "1"
    error_message = "The server must refuse connections without TLS."
  }
}

run "knows_no_password" {
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null && aws_db_instance.this.iam_database_authentication_enabled
    error_message = "RDS must make and rotate the master's password, and IAM tokens must do for the rest: none may be in the state."
  }

  assert {
    condition     = output.master_secret_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1"
    error_message = "An operator must learn where RDS keeps the master's secret."
  }
}

run "survives_a_zone_and_an_accident" {
  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 14
    error_message = "The standby and the backups must be as asked for."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "Where nobody said otherwise the database must be protected, and leave a snapshot when it goes."
  }

  assert {
    condition     = aws_db_instance.this.storage_type == "gp3" && aws_db_instance.this.max_allocated_storage == 200
    error_message = "Storage must grow before it is full."
  }
}

run "names_its_final_snapshot_by_its_life" {
  assert {
    condition     = aws_db_instance.this.final_snapshot_identifier == "bourse-test-final-1234abcd" && output.final_snapshot == "bourse-test-final-1234abcd"
    error_message = "The name must come from the key: a second destroy under a name that is taken would fail."
  }
}

run "names_it_the_same_in_the_next_plan" {
  command = plan

  assert {
    condition     = aws_db_instance.this.final_snapshot_identifier == run.names_its_final_snapshot_by_its_life.final_snapshot
    error_message = "A plan without changes must not change the final snapshot's name."
  }
}

run "leaves_a_snapshot_when_its_protection_is_lifted" {
  variables {
    deletion_protection = false
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && output.final_snapshot != null
    error_message = "To lift the protection comes before every destroy: it must not give up the snapshot."
  }
}

run "is_thrown_away_where_asked" {
  variables {
    deletion_protection = false
    final_snapshot      = false
  }

  assert {
    condition     = aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.delete_automated_backups && output.final_snapshot == null
    error_message = "Neither a snapshot nor automated backups may stay behind: they are billed."
  }
}

run "changes_when_planned_only" {
  assert {
    condition = (
      !aws_db_instance.this.auto_minor_version_upgrade && !aws_db_instance.this.allow_major_version_upgrade &&
      !aws_db_instance.this.apply_immediately && can(regex("^17\\.[0-9]+$", aws_db_instance.this.engine_version)) &&
      aws_db_parameter_group.this.family == "postgres17"
    )
    error_message = "A full minor version must be pinned and no upgrade or restart come at a time that nobody chose."
  }

  assert {
    condition     = alltrue([for p in aws_db_parameter_group.this.parameter : p.apply_method == (p.name == "shared_preload_libraries" ? "pending-reboot" : "immediate")])
    error_message = "RDS refuses to set a static parameter at once; a dynamic one must not wait for a restart."
  }
}

run "owns_every_log_group" {
  assert {
    condition     = toset([for log in aws_db_instance.this.enabled_cloudwatch_logs_exports : "/aws/rds/instance/bourse-test/${log}"]) == toset(values(output.log_group_names))
    error_message = "Each exported log needs a group of ours under the name that RDS uses; one that RDS makes has no key and no end."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.logs.key_arn && group.retention_in_days == 30])
    error_message = "Log groups must have the key and the retention."
  }

  assert {
    condition     = coalesce(aws_db_instance.this.monitoring_interval, 0) == 0
    error_message = "Enhanced monitoring writes to RDSOSMetrics, one group for all databases of the account, which this module cannot own."
  }

  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "log_statement"]) == "ddl"
    error_message = "Statements with data must not be logged; changes of the schema must be."
  }
}

run "refuses_a_name_that_rds_refuses" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "bourse--test"
  }
}

run "refuses_one_subnet" {
  command         = plan
  expect_failures = [var.network]
  variables {
    network = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-1"] }
  }
}

run "refuses_nobody" {
  command         = plan
  expect_failures = [var.clients]
  variables {
    clients = {}
  }
}

run "refuses_another_major_version" {
  command         = plan
  expect_failures = [var.engine_version]
  variables {
    engine_version = "18.1"
  }
}

run "refuses_a_version_that_floats" {
  command         = plan
  expect_failures = [var.engine_version]
  variables {
    engine_version = "17"
  }
}

run "refuses_a_type_of_ec2" {
  command         = plan
  expect_failures = [var.instance_class]
  variables {
    instance_class = "t4g.medium"
  }
}

run "refuses_storage_that_cannot_grow" {
  command         = plan
  expect_failures = [var.storage_gb]
  variables {
    storage_gb = { initial = 100, limit = 109 }
  }
}

run "refuses_too_little_storage" {
  command         = plan
  expect_failures = [var.storage_gb]
  variables {
    storage_gb = { initial = 10, limit = 200 }
  }
}

run "refuses_no_backups" {
  command         = plan
  expect_failures = [var.backup_days]
  variables {
    backup_days = 0
  }
}

run "refuses_to_protect_and_to_forget" {
  command         = plan
  expect_failures = [var.final_snapshot]
  variables {
    final_snapshot = false
  }
}

run "refuses_windows_that_are_none" {
  command         = plan
  expect_failures = [var.windows]
  variables {
    windows = { backup = "2am", maintenance = "sunday" }
  }
}

run "refuses_logs_without_end" {
  command         = plan
  expect_failures = [var.logs]
  variables {
    logs = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/logs", retention_days = 0 }
  }
}
