module "ingest" {
  source = "../" # modules/ingest

  name    = "bourse-prod"
  region  = "eu-central-1"
  package = { path = "../../../../../bin/ingest-lambda.zip" }
  network = {
    vpc_id     = "vpc-0a1b2c3d4e5f60718"
    subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb", "subnet-0cccccccccccccccc"]
  }
  database = {
    address           = "bourse-prod.abc123.eu-central-1.rds.amazonaws.com"
    user              = "bourse_ingest"
    resource_id       = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    security_group_id = "sg-0a1b2c3d4e5f60718"
  }
  archive = {
    url        = "s3://bourse-prod-archive-123456789012?region=eu-central-1"
    bucket_arn = "arn:aws:s3:::bourse-prod-archive-123456789012"
    key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
  schedules = {
    ecb      = { expression = "cron(0/10 14-18 * * ? *)", timezone = "Europe/Berlin" }
    coinbase = { expression = "rate(5 minutes)" }
  }
  logs = {
    key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/4321abcd-12ab-34cd-56ef-1234567890ab"
    retention_days = 90
  }
}

output "schedules" {
  value = module.ingest.schedule_names
}
