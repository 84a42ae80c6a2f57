module "edge" {
  source = "../" # modules/edge

  name = "bourse-prod"
  network = {
    vpc_id            = "vpc-0a1b2c3d4e5f60718"
    public_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb", "subnet-0cccccccccccccccc"]
  }
  pods            = { security_group_id = "sg-0a1b2c3d4e5f60718" }
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/5f8d7a9c-033d-4e66-8f2e-5b72f7ce4cc3"
  domain          = { zone_id = "Z0123456789ABCDEFGHIJ", name = "bourse.example.com" }
  logs = {
    key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    retention_days = 90
  }
}

output "url" {
  value = module.edge.url
}
