variable "name" {
  description = "What all names begin with, as bourse-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name: use 3 to 24 lower-case letters, digits and single hyphens, beginning with a letter, as bourse-prod."
  }
}

variable "cluster" {
  description = "Name and ARN of the EKS cluster that the pods run in."
  type = object({
    name = string
    arn  = string
  })

  validation {
    condition     = can(regex("^arn:[a-z-]+:eks:[a-z0-9-]+:[0-9]{12}:cluster/", var.cluster.arn))
    error_message = "cluster.arn: give the ARN of an EKS cluster, as arn:aws:eks:eu-central-1:123456789012:cluster/bourse-prod."
  }
}

variable "namespace" {
  description = "The namespace of the release; its accounts are bourse-api, bourse-ingest and bourse-migrate."
  type        = string
  default     = "bourse"
}

variable "archive" {
  description = "The bucket of payloads and the key that it is encrypted with."
  type = object({
    bucket_arn = string
    key_arn    = string
  })

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[a-z0-9.-]+$", var.archive.bucket_arn))
    error_message = "archive.bucket_arn: give the ARN of a bucket without a path, as arn:aws:s3:::bourse-prod-archive."
  }
}

variable "database" {
  description = "The resource ID of the RDS instance (db-…, not its name) and the PostgreSQL user of each component."
  type = object({
    resource_id = string
    users = object({
      api     = string
      ingest  = string
      migrate = string
    })
  })

  # rds-db:connect takes a name for an ID and then lets nobody in.
  validation {
    condition     = can(regex("^db-[A-Z0-9]+$", var.database.resource_id))
    error_message = "database.resource_id: give the instance's resource ID, as db-ABCDEFGHIJKLMNOPQRSTUVWXYZ, not its name or ARN."
  }

  validation {
    condition     = alltrue([for user in values(var.database.users) : can(regex("^[a-z_][a-z0-9_]*$", user))])
    error_message = "database.users: give the users of PostgreSQL by name, as bourse_api; a wildcard would let a component in as another."
  }

  validation {
    condition     = length(distinct(values(var.database.users))) == 3
    error_message = "database.users: give each component a user of its own, or the API could change what ingest wrote."
  }
}

variable "secrets" {
  description = "Secrets of AWS Secrets Manager that ingest reads, keys of upstreams, and the KMS key that they are encrypted with; null: none."
  type = object({
    arns    = set(string)
    key_arn = string
  })
  default = null

  validation {
    condition     = alltrue([for arn in try(var.secrets.arns, []) : can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$", arn))])
    error_message = "secrets.arns: give whole ARNs, as arn:aws:secretsmanager:eu-central-1:123456789012:secret:bourse-prod/alphavantage-AbCdEf."
  }
}
