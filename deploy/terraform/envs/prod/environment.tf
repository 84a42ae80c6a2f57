# All that makes this environment differ from the others.
locals {
  environment = "prod"
  cidr        = "10.0.0.0/16"

  # Whether a destroy takes all data with it. Where not, AWS refuses to delete load balancer and
  # database, and buckets must be emptied by hand.
  disposable = false

  nat                 = "per_zone" # a zone that is lost takes nobody's way out with it
  interface_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sts"]

  # In each of three zones.
  nodes = { instance_types = ["m7g.large", "m6g.large"], min = 1, desired = 1, max = 4, disk_gb = 50 }

  database = {
    instance_class  = "db.m7g.large"
    max_connections = 850 # what RDS gives 8 GiB
    storage_gb      = { initial = 100, limit = 500 }
    multi_az        = true
    backup_days     = 35
  }

  replicate_archive = true

  backup = {
    keep_days       = { daily = 35, monthly = 400, copy = 35 }
    lock_min_days   = 7
    restore_testing = { instance_class = "db.t4g.medium" }
  }

  log_days   = 90
  budget_usd = 1500 # a month, for the account

  lambda_concurrency = 3

  # Each source: when it is run, and when that it is late or silent is an alarm.
  sources = {
    # Published at about 16:00 in Frankfurt on working days; the calendar knows the holidays.
    ecb = { expression = "cron(0/10 14-18 * * ? *)", timezone = "Europe/Berlin", overdue_minutes = 120, silent_hours = 24 }
    # Around the clock.
    coinbase = { expression = "rate(5 minutes)", timezone = "UTC", overdue_minutes = 30, silent_hours = 1 }
    # A few requests a day, after the close in New York.
    alphavantage = { expression = "cron(20 0/4 * * ? *)", timezone = "America/New_York", overdue_minutes = 1440, silent_hours = 24 }
  }
}
