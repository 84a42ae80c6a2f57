# All that makes this environment differ from the others.
locals {
  environment = "dev"
  cidr        = "10.1.0.0/16"

  # Whether a destroy takes all data with it. Where not, AWS refuses to delete load balancer and
  # database, and buckets must be emptied by hand.
  disposable = true

  nat                 = "one"
  interface_endpoints = [] # each costs by the hour, and NAT is there

  # In each of three zones.
  nodes = { instance_types = ["t4g.medium"], min = 1, desired = 1, max = 2, disk_gb = 30 }

  database = {
    instance_class  = "db.t4g.micro"
    max_connections = 80 # what RDS gives 1 GiB
    storage_gb      = { initial = 20, limit = 50 }
    multi_az        = false
    backup_days     = 1
  }

  replicate_archive = false

  backup = {
    keep_days       = { daily = 7, monthly = 35, copy = 0 }
    lock_min_days   = 0
    restore_testing = null
  }

  log_days   = 7
  budget_usd = 400 # a month, for the account

  lambda_concurrency = -1 # a new account has a quota of 10, of which nothing can be reserved

  # Each source: when it is run, and when that it is late or silent is an alarm.
  sources = {
    # Published at about 16:00 in Frankfurt on working days; the calendar knows the holidays.
    ecb = { expression = "cron(0/10 14-18 * * ? *)", timezone = "Europe/Berlin", overdue_minutes = 120, silent_hours = 24 }
    # Around the clock.
    coinbase = { expression = "rate(5 minutes)", timezone = "UTC", overdue_minutes = 30, silent_hours = 1 }
  }
}
