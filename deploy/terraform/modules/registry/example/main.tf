module "registry" {
  source = "../" # modules/registry

  name = "bourse-prod"
}

output "repository_arns" {
  value = module.registry.repository_arns
}
