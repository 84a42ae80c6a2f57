terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.46, < 7.0"
    }
  }

  # The rest is in backend.hcl (see backend.hcl.example).
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
