module "cluster" {
  source = "../" # modules/cluster

  name = "bourse-prod"
  network = {
    vpc_id = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = {
      eu-central-1a = "subnet-0aaaaaaaaaaaaaaaa"
      eu-central-1b = "subnet-0bbbbbbbbbbbbbbbb"
      eu-central-1c = "subnet-0cccccccccccccccc"
    }
  }
  endpoint = { public_cidrs = ["203.0.113.7/32"] }
  nodes = {
    instance_types = ["m7g.large", "m6g.large"]
    release        = "1.35.6-20260818"
    min            = 1
    desired        = 1
    max            = 4
  }
  admins = ["arn:aws:iam::123456789012:role/bourse-prod-deploy"]
  logs = {
    key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    retention_days = 90
  }
  tags = { project = "bourse", environment = "prod" }
}

output "name" {
  value = module.cluster.name
}
