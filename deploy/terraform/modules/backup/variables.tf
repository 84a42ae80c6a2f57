variable "name" {
  description = "What all names start with, as \"bourse-prod\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name: give 3 to 24 lower-case letters, digits and hyphens, from a letter to a letter or digit, as in \"bourse-prod\"."
  }
}

variable "database" {
  description = "The RDS instance, and the subnet group and security group that a restored one gets."
  type = object({
    arn               = string
    subnet_group_name = string
    security_group_id = string
  })
}

variable "archive" {
  description = "The bucket of the archive. It must have versions."
  type = object({
    bucket_arn = string
  })
}

variable "schedules" {
  description = "When backups begin, in UTC, as cron expressions of AWS."
  type = object({
    daily   = optional(string, "cron(30 4 * * ? *)")
    monthly = optional(string, "cron(30 5 1 * ? *)")
  })
  default = {}

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : can(regex("^cron\\(\\S+( \\S+){5}\\)$", schedule))])
    error_message = "schedules: give six fields in cron(), as \"cron(30 4 * * ? *)\" for 04:30 UTC each day."
  }
}

variable "keep_days" {
  description = "Days for which the daily and the monthly backups are kept, and the daily ones' copies in the region of aws.replica. copy = 0: no copies."
  type = object({
    daily   = number
    monthly = number
    copy    = number
  })

  validation {
    condition     = var.keep_days.daily >= 1 && var.keep_days.copy >= 0
    error_message = "keep_days: give at least one day for daily, and for copy at least one or 0 for no copies."
  }

  validation {
    condition     = var.keep_days.monthly > 31
    error_message = "keep_days.monthly: give more than 31 days; a monthly backup must live until the next one."
  }
}

variable "lock_min_days" {
  description = "Days in which nobody can delete a backup or shorten its life (vault lock in governance mode). 0: no lock."
  type        = number
  default     = 0

  validation {
    condition     = var.lock_min_days == 0 || var.lock_min_days <= min(var.keep_days.daily, var.keep_days.copy == 0 ? var.keep_days.daily : var.keep_days.copy)
    error_message = "lock_min_days: give no more than the shortest of keep_days, or the vault refuses those backups."
  }

  validation {
    condition     = !(var.lock_min_days > 0 && var.force_destroy)
    error_message = "lock_min_days: set it to 0, or force_destroy to false; backups are either kept from deletion or thrown away."
  }
}

variable "force_destroy" {
  description = "Whether a destroy also deletes the backups and their copies. For environments that are thrown away."
  type        = bool
  default     = false
}

variable "restore_testing" {
  description = "When the newest backups are restored to see that they can be, and the class of the instance for it. null: never."
  type = object({
    schedule       = optional(string, "cron(0 8 ? * SUN *)")
    instance_class = string
  })
  default = null

  validation {
    condition     = var.restore_testing == null || can(regex("^cron\\(\\S+( \\S+){5}\\)$", var.restore_testing.schedule))
    error_message = "restore_testing.schedule: give six fields in cron(), as \"cron(0 8 ? * SUN *)\" for 08:00 UTC on Sundays."
  }

  validation {
    condition     = var.restore_testing == null || startswith(coalesce(try(var.restore_testing.instance_class, null), "-"), "db.")
    error_message = "restore_testing.instance_class: give a class of RDS, as \"db.t4g.medium\"."
  }
}

variable "notifications" {
  description = "SNS topic that is told how jobs end; its policy must let backup.amazonaws.com publish. null: nobody is told."
  type = object({
    topic_arn = string
  })
  default = null
}
