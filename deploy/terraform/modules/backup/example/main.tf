provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "replica"
  region = "eu-west-1"
}

module "backup" {
  source    = "../" # modules/backup
  providers = { aws = aws, aws.replica = aws.replica }

  name = "bourse-prod"
  database = {
    arn               = "arn:aws:rds:eu-central-1:123456789012:db:bourse-prod"
    subnet_group_name = "bourse-prod"
    security_group_id = "sg-0a1b2c3d4e5f60718"
  }
  archive = { bucket_arn = "arn:aws:s3:::bourse-prod-archive-123456789012" }

  keep_days       = { daily = 35, monthly = 365, copy = 35 }
  lock_min_days   = 14
  restore_testing = { instance_class = "db.t4g.medium" }
  notifications   = { topic_arn = "arn:aws:sns:eu-central-1:123456789012:bourse-prod" }
}

output "copy_vault_arn" {
  value = module.backup.copy_vault_arn
}
