module "database" {
  source = "../" # modules/database

  name    = "bourse-prod"
  network = { vpc_id = "vpc-0a1b2c3d4e5f60718", subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb", "subnet-0cccccccccccccccc"] }
  clients = { nodes = "sg-0a1b2c3d4e5f60718", ingest = "sg-0b1b2c3d4e5f60718" }

  instance_class = "db.m7g.large"
  storage_gb     = { initial = 100, limit = 500 }
  multi_az       = true
  backup_days    = 14
  logs = {
    key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    retention_days = 90
  }
}

output "address" {
  value = module.database.address
}
