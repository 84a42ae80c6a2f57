variable "name" {
  description = "What all names begin with, as bourse-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name: use 3 to 24 lower-case letters, digits and single hyphens, beginning with a letter, as bourse-prod."
  }
}

variable "region" {
  description = "The provider's region, as eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: give the name of an AWS region, as eu-central-1."
  }
}

variable "package" {
  description = "The zip of cmd/ingest-lambda, built for arm64 by `make lambda`, with RDS's certificates: a file, or an object in S3."
  type = object({
    path = optional(string)
    s3   = optional(object({ bucket = string, key = string, version = optional(string) }))
  })

  validation {
    condition     = (var.package.path == null) != (var.package.s3 == null)
    error_message = "package: give either path (a zip on this machine) or s3 (bucket and key), not both."
  }
}

variable "network" {
  description = "The VPC and its private subnets, with a way out to the sources by NAT."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })

  validation {
    condition     = length(var.network.subnet_ids) >= 2
    error_message = "network.subnet_ids: give private subnets of at least two zones, or no run survives the loss of one."
  }
}

variable "database" {
  description = "The database, and the user that IAM lets in: it must exist there with rds_iam."
  type = object({
    address           = string
    port              = optional(number, 5432)
    name              = optional(string, "bourse")
    user              = string
    resource_id       = string
    security_group_id = string
  })
}

variable "archive" {
  description = "The archive of raw payloads: its address for the program, the bucket and its KMS key (archive's outputs)."
  type = object({
    url        = string
    bucket_arn = string
    key_arn    = string
  })
}

variable "schedules" {
  description = "When each source is run, in Scheduler's expressions and the time zone of its calendar."
  type = map(object({
    expression = string
    timezone   = optional(string, "UTC")
  }))

  validation {
    condition     = length(var.schedules) > 0 && alltrue([for s in keys(var.schedules) : contains(["ecb", "coinbase", "alphavantage"], s)])
    error_message = "schedules: name sources that exist: ecb, coinbase, alphavantage."
  }

  validation {
    condition     = alltrue([for s in values(var.schedules) : can(regex("^(cron|rate)\\([^()]+\\)$", s.expression))])
    error_message = "schedules: write an expression as cron(0/10 14-18 * * ? *) or rate(5 minutes)."
  }
}

variable "timeout" {
  description = "Seconds that a run may take; what it did not reach, the next one does."
  type        = number
  default     = 300

  validation {
    condition     = var.timeout >= 30 && var.timeout <= 900
    error_message = "timeout: give 30 to 900 seconds; Lambda allows no more, and a slow source needs more than 30."
  }
}

variable "concurrency" {
  description = "Runs at the same time, of what the account may have; -1: no reservation, for accounts with Lambda's smallest quota of 10."
  type        = number
  default     = 3 # one a source: a source has one writer at a time anyway

  validation {
    condition     = var.concurrency == -1 || (var.concurrency >= 1 && var.concurrency <= 20)
    error_message = "concurrency: give 1 to 20, since each run holds connections to the database, or -1 to reserve nothing; 0 would turn the function off."
  }
}

variable "settings" {
  description = "More variables of the program, as BOURSE_COINBASE_PRODUCTS or BOURSE_LOG_LEVEL. No secrets: they would be in the state."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.settings), ["BOURSE_DATABASE_URL", "BOURSE_ARCHIVE_URL", "BOURSE_ALPHAVANTAGE_KEY", "SSL_CERT_DIR"])) == 0
    error_message = "settings: the database, the archive, the key and the certificates come from database, archive, Secrets Manager and the package; leave them out."
  }
}

variable "secret_recovery_days" {
  description = "Days in which a deleted secret can be restored; 0: it is gone at once, so that its name is free for the next apply."
  type        = number
  default     = 30

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days: give 7 to 30, or 0 where environments come and go."
  }
}

variable "logs" {
  description = "The KMS key of log groups and how many days they are kept (observability's outputs)."
  type = object({
    key_arn        = string
    retention_days = number
  })

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days
    )
    error_message = "logs.retention_days: give a number of days that CloudWatch knows, as 30, 90 or 365; 0 would keep logs for ever."
  }
}
