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

variable "retention_days" {
  description = "How many days logs are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "retention_days: give a number of days that CloudWatch knows, as 30, 90 or 365; 0 would keep logs for ever."
  }
}

variable "emails" {
  description = "Who gets alarms. AWS sends each address a link to confirm."
  type        = set(string)

  validation {
    condition     = length(var.emails) > 0 && alltrue([for e in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", e))])
    error_message = "emails: give at least one address, as ops@example.com; an alarm that nobody gets is none."
  }
}

variable "cluster_name" {
  description = "Name of the cluster, known before it is there: its log groups must be first."
  type        = string
}

variable "edge" {
  description = "The load balancer, its target group and the web ACL, as CloudWatch's dimensions name them (edge's outputs)."
  type = object({
    load_balancer_arn_suffix = string
    target_group_arn_suffix  = string
    web_acl_name             = string
  })
}

variable "database" {
  description = "The database, its storage, and how many connections its class has (max_connections)."
  type = object({
    identifier      = string
    storage_gb      = number
    max_connections = number
  })
}

variable "ingest" {
  description = <<-T
    The function, its schedules and its queue (ingest's outputs), and for each source: after how many minutes a bar that the
    calendar expects is overdue, and how many hours may go by without a run that succeeds.
  T
  type = object({
    function_name          = string
    timeout                = number
    dead_letter_queue_name = string
    schedule_group_name    = string
    sources                = map(object({ overdue_minutes = number, silent_hours = number }))
  })

  validation {
    condition     = alltrue([for s in values(var.ingest.sources) : s.silent_hours >= 1 && s.silent_hours <= 24 && floor(s.silent_hours) == s.silent_hours])
    error_message = "ingest.sources: silent_hours is 1 to 24, longer than the longest pause of the source's schedule: CloudWatch looks back a day."
  }

  validation {
    condition     = alltrue([for s in values(var.ingest.sources) : s.overdue_minutes >= 1])
    error_message = "ingest.sources: overdue_minutes is at least 1; with 0 every run that has to wait for its source is an alarm."
  }
}

variable "budget_usd" {
  description = "What the account may cost a month, in US dollars."
  type        = number

  validation {
    condition     = var.budget_usd >= 1
    error_message = "budget_usd: give what a month may cost, at least 1 dollar."
  }
}
