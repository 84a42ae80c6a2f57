provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "replica"
  region = "eu-west-1"
}

module "archive" {
  source    = "../" # modules/archive
  providers = { aws = aws, aws.replica = aws.replica }

  name             = "bourse-prod"
  object_lock_days = 30
  replicate        = true
}

output "url" {
  value = module.archive.url
}
