variable "name" {
  description = "Name of the cluster; all names begin with it, as bourse-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name: use 3 to 24 lower-case letters, digits and single hyphens, beginning with a letter, as bourse-prod."
  }
}

variable "network" {
  description = "The VPC, and its private subnets: availability zone -> ID of the subnet."
  type = object({
    vpc_id             = string
    private_subnet_ids = map(string)
  })

  validation {
    condition     = length(var.network.private_subnet_ids) == 3
    error_message = "network.private_subnet_ids: give one subnet in each of three zones, as { eu-central-1a = \"subnet-…\", … }."
  }

  validation {
    condition     = length(distinct([for zone in keys(var.network.private_subnet_ids) : try(regex("^([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]$", zone)[0], zone)])) == 1
    error_message = "network.private_subnet_ids: name the subnets by availability zones of one region, as eu-central-1a."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, one that EKS supports at the standard price."
  type        = string
  default     = "1.35"

  validation {
    condition     = contains(keys(local.standard_support), var.kubernetes_version)
    error_message = "kubernetes_version: EKS ${var.kubernetes_version} is out of standard support, where a cluster costs six times as much, or not known here. Give ${join(" or ", [for version, end in local.standard_support : "${version} (until ${end})"])}."
  }
}

variable "endpoint" {
  description = "Who may reach the Kubernetes API from outside the VPC: blocks of addresses; empty: nobody. From inside it is always reached."
  type = object({
    public_cidrs = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = alltrue([for cidr in var.endpoint.public_cidrs : can(cidrhost(cidr, 0)) && !strcontains(cidr, ":")])
    error_message = "endpoint.public_cidrs: give IPv4 blocks, as 203.0.113.7/32; ::/0 and other IPv6 blocks are not taken."
  }

  # Two halves are the world as well.
  validation {
    condition     = alltrue([for cidr in var.endpoint.public_cidrs : try(tonumber(split("/", cidr)[1]) >= 8, true)])
    error_message = "endpoint.public_cidrs: name the addresses of those who operate the cluster, as 203.0.113.7/32. 0.0.0.0/0 and blocks larger than /8 open it to the world."
  }
}

variable "nodes" {
  description = "The node groups, one in each zone: min, max and desired count the nodes of one zone. release pins the AMI (1.35.6-20260818); null: the newest at creation."
  type = object({
    instance_types = list(string)
    ami_type       = optional(string, "AL2023_ARM_64_STANDARD")
    release        = optional(string)
    min            = number
    max            = number
    desired        = number
    disk_gb        = optional(number, 30)
  })

  validation {
    condition     = length(var.nodes.instance_types) > 0
    error_message = "nodes.instance_types: give at least one type, as t4g.large; several of one size find capacity more easily."
  }

  validation {
    condition     = contains(["AL2023_ARM_64_STANDARD", "AL2023_x86_64_STANDARD"], var.nodes.ami_type)
    error_message = "nodes.ami_type: give AL2023_ARM_64_STANDARD or AL2023_x86_64_STANDARD; the user data and IMDS settings here are made for Amazon Linux 2023."
  }

  validation {
    condition     = var.nodes.release == null ? true : can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+-[0-9]{8}$", var.nodes.release))
    error_message = "nodes.release: give a release of the EKS AMI, as 1.35.6-20260818."
  }

  validation {
    condition     = var.nodes.min >= 1 && var.nodes.min <= var.nodes.desired && var.nodes.desired <= var.nodes.max
    error_message = "nodes: give 1 <= min <= desired <= max, nodes of one zone. A zone without a node takes no pod, and pods are spread over zones."
  }

  validation {
    condition     = var.nodes.disk_gb >= 20
    error_message = "nodes.disk_gb: give at least 20 GiB, or images and logs fill the disk and pods are evicted."
  }
}

variable "admins" {
  description = "ARNs of IAM roles or users that administer the cluster by the Kubernetes API: people's, and that of whoever runs helm."
  type        = set(string)

  validation {
    condition     = length(var.admins) > 0 && alltrue([for arn in var.admins : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "admins: give the ARN of at least one IAM role or user, as arn:aws:iam::123456789012:role/admin. Nobody else gets in, not even who creates the cluster."
  }
}

variable "addons" {
  description = "Versions of EKS add-ons that differ from those pinned in addons.tf: name of the add-on -> version."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.addons) : contains(keys(local.addon_versions), name)])
    error_message = "addons: the cluster has ${join(", ", keys(local.addon_versions))}, no other."
  }

  validation {
    condition     = alltrue([for version in values(var.addons) : can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", version))])
    error_message = "addons: give whole versions as `aws eks describe-addon-versions` lists them, as v1.22.4-eksbuild.3; \"latest\" would change without a plan."
  }

  validation {
    condition = (
      tonumber(split(".", lookup(var.addons, "kube-proxy", local.addon_versions.kube-proxy))[1]) <= try(tonumber(split(".", var.kubernetes_version)[1]), 0)
    )
    error_message = "addons: kube-proxy must not be newer than kubernetes_version: raise the version of the cluster first, then the add-on's."
  }
}

variable "service_load_balancers" {
  description = "Whether Services of type LoadBalancer get network load balancers. They belong to the controller: uninstall the charts before you destroy."
  type        = bool
  default     = false
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

variable "tags" {
  description = "Tags of instances, volumes and network interfaces, which the provider's default_tags do not reach."
  type        = map(string)

  validation {
    condition     = length(var.tags) > 0
    error_message = "tags: give the provider's default_tags again, as { project = \"bourse\" }; without them nobody can tell whose the instances are."
  }
}
