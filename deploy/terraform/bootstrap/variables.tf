variable "name" {
  description = "The system's name. What belongs to an environment is named <name>-<environment>-…"
  type        = string
  default     = "bourse"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name))
    error_message = "name: give 3 to 16 lower-case letters, digits and hyphens, from a letter to a letter or digit, as in \"bourse\"."
  }
}

variable "region" {
  description = "Region of the environments and of the state."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: give a region of AWS, as \"eu-central-1\"."
  }
}

variable "replica_region" {
  description = "Region of the copies of archive and backups."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.replica_region)) && var.replica_region != var.region
    error_message = "replica_region: give a region other than the first, as \"eu-west-1\"; a copy beside the original is lost with it."
  }
}

variable "github" {
  description = "The repository whose workflows may take the roles. The IDs: gh api repos/OWNER/REPOSITORY --jq '.owner.id, .id'."
  type = object({
    owner         = string
    owner_id      = string
    repository    = string
    repository_id = string
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}$", var.github.owner)) && can(regex("^[A-Za-z0-9._-]{1,100}$", var.github.repository))
    error_message = "github: give the owner's and the repository's names as GitHub spells them, without wildcards, as \"octo-org\" and \"bourse\"."
  }

  validation {
    condition     = can(regex("^[0-9]+$", var.github.owner_id)) && can(regex("^[0-9]+$", var.github.repository_id))
    error_message = "github: give owner_id and repository_id as numbers; gh api repos/OWNER/REPOSITORY --jq '.owner.id, .id' prints them."
  }
}

variable "environments" {
  description = "The environments. The GitHub environment <environment>-plan may plan, the GitHub environment <environment> may apply."
  type        = set(string)
  default     = ["dev", "prod"]

  validation {
    condition     = length(var.environments) > 0 && alltrue([for e in var.environments : can(regex("^[a-z][a-z0-9]{1,6}$", e))])
    error_message = "environments: give names of 2 to 7 lower-case letters and digits, as [\"dev\", \"prod\"]; wildcards and hyphens would let one environment stand for another."
  }

  validation {
    condition     = !anytrue(flatten([for e in var.environments : [for other in var.environments : e != other && startswith(other, e)]]))
    error_message = "environments: no name may start with another, as dev2 does with dev; a pattern for the one would match what belongs to the other."
  }
}
