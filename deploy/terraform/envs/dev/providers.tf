provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# Where copies go that outlive the region.
provider "aws" {
  alias  = "replica"
  region = var.replica_region

  default_tags {
    tags = local.tags
  }
}
