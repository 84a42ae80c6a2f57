module "network" {
  source = "../" # modules/network

  name       = "bourse-prod"
  cidr       = "10.0.0.0/16"
  apart_from = ["10.1.0.0/16"] # development
  zones      = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  nat        = "per_zone"
  logs = {
    key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    retention_days = 90
  }
  interface_endpoints = ["ecr.api", "ecr.dkr", "logs"]
}

output "private_subnet_ids" {
  value = module.network.private_subnet_ids
}
