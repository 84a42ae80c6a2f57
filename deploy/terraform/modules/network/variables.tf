variable "name" {
  description = "What all names begin with, as bourse-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name: use 3 to 24 lower-case letters, digits and single hyphens, beginning with a letter, as bourse-prod."
  }
}

variable "cidr" {
  description = "The addresses of the network, a private block of /16 to /20. All subnets are cut from it."
  type        = string

  validation {
    condition     = can(cidrsubnet(var.cidr, 0, 0)) && try(cidrsubnet(var.cidr, 0, 0) == var.cidr, false)
    error_message = "cidr: give the first address of an IPv4 block and its length, as 10.0.0.0/16."
  }

  validation {
    condition     = try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr: give a block of /16 to /20. A smaller one has too few addresses for the pods of three zones, and AWS takes no larger one."
  }

  validation {
    condition = try(anytrue([
      for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] :
      cidrhost("${split("/", var.cidr)[0]}/${split("/", private)[1]}", 0) == cidrhost(private, 0)
    ]), false)
    error_message = "cidr: give a block within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16; others belong to somebody on the internet."
  }
}

# tflint-ignore: terraform_unused_declarations # only the checks of cidr use it
variable "apart_from" {
  description = "Blocks that cidr must not overlap: other environments, offices, whatever may be connected one day."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for other in var.apart_from : can(cidrhost(other, 0))])
    error_message = "apart_from: give IPv4 blocks, as 10.1.0.0/16."
  }

  # Two blocks overlap where they are equal as far as the shorter prefix goes.
  validation {
    condition = alltrue([
      for other in var.apart_from : try(
        cidrhost("${split("/", var.cidr)[0]}/${min(split("/", var.cidr)[1], split("/", other)[1])}", 0) !=
        cidrhost("${split("/", other)[0]}/${min(split("/", var.cidr)[1], split("/", other)[1])}", 0),
        true # what is no block is refused above
      )
    ])
    error_message = "cidr overlaps a block of apart_from: choose another, as addresses that two networks share can never be routed between them."
  }
}

variable "zones" {
  description = "Three availability zones of the region, as eu-central-1a. Lists of subnets have their order."
  type        = list(string)

  validation {
    condition     = length(var.zones) == 3 && length(distinct(var.zones)) == 3
    error_message = "zones: give exactly three different zones. With two, the loss of one takes half of everything; a fourth has no subnets."
  }

  validation {
    condition     = length(distinct([for zone in var.zones : try(regex("^([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]$", zone)[0], zone)])) == 1
    error_message = "zones: give availability zones of one region by their names, as eu-central-1a; no local zones, no IDs."
  }
}

variable "nat" {
  description = "NAT gateways: \"one\" for all zones (cheap: its zone takes the others' way out with it), or \"per_zone\"."
  type        = string

  validation {
    condition     = contains(["one", "per_zone"], var.nat)
    error_message = "nat: give \"one\" (development) or \"per_zone\" (production)."
  }
}

variable "interface_endpoints" {
  description = "AWS services that are reached inside the VPC and not by NAT, by the end of their name, as ecr.dkr. Each costs by the hour in each zone."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z][a-z0-9.-]*$", service)) && !startswith(service, "com.")])
    error_message = "interface_endpoints: give the names after com.amazonaws.<region>., as ecr.api or logs."
  }

  validation {
    condition     = !contains(var.interface_endpoints, "s3")
    error_message = "interface_endpoints: leave out s3, which has a gateway endpoint that costs nothing."
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
