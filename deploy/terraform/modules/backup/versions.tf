terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"

      # 5.72 is the first with restore testing (restore_testing.tf); all else here is in 5.46 too.
      version = ">= 5.72, < 7.0"

      # aws.replica is in the second region.
      configuration_aliases = [aws.replica]
    }
  }
}
