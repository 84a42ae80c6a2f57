# What only the owner of an account can know. How large an environment is stands in
# environment.tf.

variable "region" {
  description = "Region of the environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: give the name of an AWS region, as eu-central-1."
  }
}

variable "replica_region" {
  description = "Region of the copies of archive and backups."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.replica_region)) && var.replica_region != var.region
    error_message = "replica_region: give another region than region, as eu-west-1; a copy in the same one is lost with it."
  }
}

variable "zones" {
  description = "Three availability zones of the region."
  type        = list(string)

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones: give zones of region, as eu-central-1a in eu-central-1."
  }
}

variable "apart_from" {
  description = "Blocks of addresses that the network must not overlap: what may be connected to it one day."
  type        = list(string)
  default     = []
}

variable "api_cidrs" {
  description = "Blocks of addresses from which the Kubernetes API is reached; empty: from inside the VPC only."
  type        = list(string)
}

variable "admins" {
  description = "ARNs of IAM roles or users that administer the cluster, among them the role that deploys."
  type        = set(string)
}

variable "emails" {
  description = "Who gets alarms."
  type        = set(string)
}

variable "certificate_arn" {
  description = "The ACM certificate of the domain. Null only with plain_http."
  type        = string
  default     = null
}

variable "plain_http" {
  description = "Serve HTTP without a certificate, for a trial without a domain."
  type        = bool
  default     = false
}

variable "domain" {
  description = "The zone in Route 53 and the name in it; null: the load balancer's own name."
  type        = object({ zone_id = string, name = string })
  default     = null
}

variable "package" {
  description = "The zip of cmd/ingest-lambda: where `make lambda` puts it, or an object in S3."
  type = object({
    path = optional(string)
    s3   = optional(object({ bucket = string, key = string, version = optional(string) }))
  })
  default = { path = "../../../../bin/ingest-lambda.zip" }
}
