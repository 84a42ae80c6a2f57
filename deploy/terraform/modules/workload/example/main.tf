module "workload" {
  source = "../" # modules/workload

  name = "bourse-prod"
  cluster = {
    name = "bourse-prod"
    arn  = "arn:aws:eks:eu-central-1:123456789012:cluster/bourse-prod"
  }
  archive = {
    bucket_arn = "arn:aws:s3:::bourse-prod-archive-123456789012"
    key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
  database = {
    resource_id = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    users       = { api = "bourse_api", ingest = "bourse_ingest", migrate = "bourse_migrate" }
  }
}

output "role_arns" {
  value = module.workload.role_arns
}
