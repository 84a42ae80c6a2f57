variable "name" {
  description = "What all names begin with, as bourse-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name: use 3 to 24 lower-case letters, digits and single hyphens, beginning with a letter, as bourse-prod."
  }
}

variable "network" {
  description = "The VPC, and the public subnets of at least two zones that the load balancer stands in."
  type = object({
    vpc_id            = string
    public_subnet_ids = list(string)
  })

  validation {
    condition     = length(var.network.public_subnet_ids) >= 2
    error_message = "network.public_subnet_ids: give subnets of at least two zones, a load balancer does not stand in one."
  }
}

variable "pods" {
  description = "The security group that the pods have, and the port that web serves on."
  type = object({
    security_group_id = string
    port              = optional(number, 8080)
  })
}

variable "certificate_arn" {
  description = "The ACM certificate of the HTTPS listener, in the region of the load balancer. Null only with plain_http."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[a-z-]+:acm:", var.certificate_arn))
    error_message = "certificate_arn: give the ARN of a certificate in ACM, as arn:aws:acm:eu-central-1:123456789012:certificate/…"
  }

  validation {
    condition     = (var.certificate_arn == null) == var.plain_http
    error_message = "Give certificate_arn, or set plain_http = true to serve without encryption, but not both."
  }
}

variable "plain_http" {
  description = "Serve HTTP on port 80 without a certificate: API keys and cookies go in the clear. For a trial without a domain."
  type        = bool
  default     = false
}

variable "domain" {
  description = "The Route 53 record of the load balancer; null: none."
  type = object({
    zone_id = string
    name    = string
  })
  default = null
}

variable "ipv6" {
  description = "Answer over IPv6 too. The public subnets need IPv6 blocks."
  type        = bool
  default     = false
}

variable "deregistration_delay" {
  description = "Seconds that requests to a leaving pod may take; equal to termination.deregistrationDelaySeconds of the chart."
  type        = number
  default     = 15

  validation {
    condition     = var.deregistration_delay >= 1 && var.deregistration_delay <= 60
    error_message = "deregistration_delay: give 1 to 60 seconds, fewer than the chart's termination.preStopSeconds, or a pod closes while requests still come."
  }
}

variable "rate_limit" {
  description = "Requests in five minutes that one address may send. A brake for floods: the API has limits of its own for each key."
  type        = number
  default     = 10000

  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000
    error_message = "rate_limit: give 100 to 2,000,000 requests in five minutes; under 100 a browser that opens the dashboard is locked out."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
  default     = true
}

variable "access_logs" {
  description = "How many days access logs are kept, and whether the bucket may be destroyed with what is in it."
  type = object({
    days          = optional(number, 90)
    force_destroy = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.access_logs.days >= 1
    error_message = "access_logs.days: keep them for at least a day; 0 would keep them for ever, at a cost that grows."
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
