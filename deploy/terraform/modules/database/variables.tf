variable "name" {
  description = "Name of the database instance; the names of all that belongs to it start with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name: give 3 to 24 lower-case letters, digits and single hyphens, from a letter to a letter or digit, as in \"bourse-prod\"."
  }
}

variable "network" {
  description = "The VPC, and its database subnets: those without a route to the internet, one per zone."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })

  validation {
    condition     = length(distinct(var.network.subnet_ids)) >= 2
    error_message = "network.subnet_ids: give the database subnets of at least two zones; RDS takes no subnet group with fewer, single-AZ or not."
  }
}

variable "clients" {
  description = "Who may connect: a name for the rule -> the ID of the client's security group."
  type        = map(string)

  validation {
    condition     = length(var.clients) > 0
    error_message = "clients: name at least one security group that may connect, as in { nodes = \"sg-…\" }; nobody else is let in."
  }
}

variable "engine_version" {
  description = "Minor version of PostgreSQL 17. It is pinned: an upgrade is a change of this value, seen in a plan."
  type        = string
  default     = "17.11"

  validation {
    condition     = can(regex("^17\\.[0-9]+$", var.engine_version))
    error_message = "engine_version: give a minor version of PostgreSQL 17, as \"17.11\"; another major version needs a rehearsed upgrade and a change of this module."
  }
}

variable "instance_class" {
  description = "Class of the instance, as db.t4g.medium."
  type        = string

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class: give a class of RDS, as \"db.t4g.medium\"; the names of EC2's types lack the \"db.\"."
  }
}

variable "storage_gb" {
  description = "Storage in GiB: what there is at first, and the limit to which RDS lets it grow by itself. Storage never shrinks."
  type = object({
    initial = number
    limit   = number
  })

  validation {
    condition     = var.storage_gb.initial >= 20
    error_message = "storage_gb.initial: give at least 20, the least that gp3 has."
  }

  validation {
    # RDS refuses a limit that leaves no room for one step of growth, which is 10 %.
    condition     = var.storage_gb.limit >= ceil(var.storage_gb.initial * 1.1)
    error_message = "storage_gb.limit: give at least 10 % more than storage_gb.initial, or storage cannot grow and a full disk stops the database."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over when the instance or its zone fails."
  type        = bool
}

variable "backup_days" {
  description = "Days for which any moment can be restored."
  type        = number

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days: give 1 to 35 days; 0 would turn backups off, and more than 35 is the backup module's part."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the database."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Whether a destroy leaves a last snapshot. False is for environments that are thrown away."
  type        = bool
  default     = true

  validation {
    condition     = var.final_snapshot || !var.deletion_protection
    error_message = "final_snapshot: set it to true, or deletion_protection to false; a database that is protected must not go without a trace."
  }
}

variable "windows" {
  description = "When, in UTC, the daily snapshot and the weekly maintenance may begin and end. They must not overlap."
  type = object({
    backup      = optional(string, "02:00-02:30")
    maintenance = optional(string, "sun:03:00-sun:04:00")
  })
  default = {}

  validation {
    condition     = can(regex("^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", var.windows.backup))
    error_message = "windows.backup: give a window of the day in UTC, as \"02:00-02:30\"."
  }

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]$", var.windows.maintenance))
    error_message = "windows.maintenance: give a window of the week in UTC, as \"sun:03:00-sun:04:00\"."
  }
}

variable "logs" {
  description = "Key and retention of the log groups."
  type = object({
    key_arn        = string
    retention_days = number
  })

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days
    )
    error_message = "logs.retention_days: give a retention that CloudWatch has (1, 3, 5, 7, 14, 30, 60, 90, … 3653); 0 would keep and bill logs for ever."
  }
}
