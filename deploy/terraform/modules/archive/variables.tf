variable "name" {
  description = "What all names start with, as \"bourse-prod\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name: give 3 to 24 lower-case letters, digits and hyphens, from a letter to a letter or digit, as in \"bourse-prod\"."
  }
}

variable "force_destroy" {
  description = "Whether a destroy also deletes every object and version. For environments that are thrown away."
  type        = bool
  default     = false

  validation {
    condition     = !(var.force_destroy && var.object_lock_days > 0)
    error_message = "force_destroy: set it to false, or object_lock_days to 0; an archive is either kept from deletion or thrown away."
  }
}

variable "object_lock_days" {
  description = "Days for which no version of an object can be deleted or changed, from its writing on. 0: no Object Lock."
  type        = number
  default     = 0

  validation {
    condition     = var.object_lock_days >= 0 && var.object_lock_days <= 36500 && floor(var.object_lock_days) == var.object_lock_days
    error_message = "object_lock_days: give whole days, up to 36500, or 0 for no Object Lock."
  }
}

variable "replicate" {
  description = "Whether each object is copied to a bucket in the region of aws.replica."
  type        = bool
  default     = false
}

variable "lifecycle_days" {
  description = "Days after which an object goes to Standard-IA and to Glacier Instant Retrieval, and after which an older version is deleted."
  type = object({
    infrequent    = optional(number, 90)
    cold          = optional(number, 365)
    older_version = optional(number, 180)
  })
  default = {}

  validation {
    condition     = var.lifecycle_days.infrequent >= 30 && var.lifecycle_days.cold >= var.lifecycle_days.infrequent + 30
    error_message = "lifecycle_days: give at least 30 days until infrequent, and 30 more until cold; S3 bills 30 days of Standard-IA anyway."
  }

  validation {
    condition     = var.lifecycle_days.older_version >= 1 && var.lifecycle_days.older_version >= var.object_lock_days
    error_message = "lifecycle_days.older_version: give at least one day and not less than object_lock_days; a locked version cannot be deleted."
  }
}
