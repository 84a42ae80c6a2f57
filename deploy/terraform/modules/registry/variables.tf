variable "name" {
  description = "What the repositories' names start with, as \"bourse-prod\": bourse-prod/api and so on."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name: give 3 to 24 lower-case letters, digits and hyphens, from a letter to a letter or digit, as in \"bourse-prod\"."
  }
}

variable "images" {
  description = "The images, each in a repository of its own."
  type        = set(string)
  default     = ["web", "api", "ingest", "migrate"]

  validation {
    condition     = length(var.images) > 0 && alltrue([for image in var.images : can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", image))])
    error_message = "images: give at least one name of lower-case letters, digits and single hyphens, as [\"web\", \"api\"]."
  }
}

variable "keep_images" {
  description = "How many tagged images of each repository are kept, the newest. A rollback needs the older ones."
  type        = number
  default     = 50

  validation {
    condition     = var.keep_images >= 10 && floor(var.keep_images) == var.keep_images
    error_message = "keep_images: give at least 10; an image that pods still run could be deleted, and a new node could not pull it."
  }
}

variable "force_delete" {
  description = "Whether a destroy also deletes the images. For environments that are thrown away."
  type        = bool
  default     = false
}
