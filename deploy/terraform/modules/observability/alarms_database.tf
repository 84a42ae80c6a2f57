locals {
  instance = { DBInstanceIdentifier = var.database.identifier }

  database_alarms = {
    database-cpu = {
      means      = "The database has computed at more than 80 % for 15 of 20 minutes, or reports nothing."
      namespace  = "AWS/RDS"
      metric     = "CPUUtilization"
      dimensions = local.instance
      statistic  = "Average"
      is         = "GreaterThanThreshold"
      threshold  = 80
      period     = 60
      bad        = 15 # a restart in its window is silent, then busy
      of         = 20
      missing    = "breaching"
    }

    database-storage = {
      means      = "Less than 7 % of the database's storage is free, and RDS has added none; when it is full, no run loads."
      namespace  = "AWS/RDS"
      metric     = "FreeStorageSpace" # bytes
      dimensions = local.instance
      statistic  = "Minimum"
      is         = "LessThanThreshold"
      threshold  = var.database.storage_gb * 1073741824 * 0.07 # at 10 % RDS adds some, up to its limit
      period     = 300
      bad        = 1
      of         = 1
      missing    = "notBreaching"
    }

    database-connections = {
      means      = "More than 80 % of the connections that the database has are taken."
      namespace  = "AWS/RDS"
      metric     = "DatabaseConnections"
      dimensions = local.instance
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = floor(var.database.max_connections * 0.8)
      period     = 60
      bad        = 5
      of         = 5
      missing    = "notBreaching"
    }

    database-memory = {
      means      = "The database has less than 100 MB of memory left."
      namespace  = "AWS/RDS"
      metric     = "FreeableMemory" # bytes
      dimensions = local.instance
      statistic  = "Minimum"
      is         = "LessThanThreshold"
      threshold  = 100 * 1048576
      period     = 300
      bad        = 3
      of         = 3
      missing    = "notBreaching"
    }
  }
}
