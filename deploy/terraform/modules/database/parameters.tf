locals {
  # Those that the server reads when it starts.
  static_parameters = {
    shared_preload_libraries = "pg_stat_statements"
  }

  dynamic_parameters = {
    "rds.force_ssl"                       = "1"
    "pg_stat_statements.track"            = "all"
    "log_connections"                     = "1"
    "log_disconnections"                  = "1"
    "log_lock_waits"                      = "1"
    "log_statement"                       = "ddl"
    "log_min_duration_statement"          = "500"   # ms
    "log_temp_files"                      = "10240" # KiB
    "log_autovacuum_min_duration"         = "10000" # ms
    "idle_in_transaction_session_timeout" = "60000" # ms; longer holds locks and stops vacuum
    "rds.log_retention_period"            = "1440"  # minutes; CloudWatch has the rest
  }
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.name}-postgres17"
  family      = "postgres17"
  description = "${var.name}: TLS only, statements measured, slow and waiting ones logged"

  dynamic "parameter" {
    for_each = local.static_parameters
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }

  dynamic "parameter" {
    for_each = local.dynamic_parameters
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "immediate"
    }
  }

  lifecycle {
    create_before_destroy = true # RDS refuses to delete the group that the instance still has
  }
}
