output "values" {
  description = "Values of the chart: `terraform output -json values` is a values file, to be given after the one of the environment."
  value = {
    image = { repository = trimsuffix(module.registry.repository_urls["bourse-api"], "/bourse-api") }
    database = {
      url   = "postgres://${module.database.address}:${module.database.port}/${module.database.database_name}?auth=iam"
      users = local.database_users
    }
    archive  = { url = module.archive.url }
    ingest   = { enabled = false } # the function does it
    exposure = "targetGroup"
    # The load balancer's way into the pods is edge's, so the controller needs no security group.
    targetGroup   = { arn = module.edge.target_group_arn, securityGroup = "" }
    termination   = { deregistrationDelaySeconds = module.edge.deregistration_delay }
    networkPolicy = { clients = [module.network.cidr], database = { cidrs = [module.network.cidr], port = module.database.port } }
  }
}

output "database" {
  description = "The database for people: where it is, the secret of its master, the snapshot that a delete leaves."
  value = {
    address           = module.database.address
    identifier        = module.database.identifier
    master_secret_arn = module.database.master_secret_arn
    final_snapshot    = module.database.final_snapshot
  }
}

output "platform" {
  description = "What the Helm releases of deploy/platform need to know."
  value       = { cluster_name = module.cluster.name, region = var.region, vpc_id = module.network.vpc_id }
}

output "url" {
  description = "Where the dashboard and the API answer."
  value       = module.edge.url
}

output "load_balancer_security_group_id" {
  description = "Security group of the load balancer."
  value       = module.edge.security_group_id
}

output "ingest" {
  description = "The function, its queue for `bourse redrive`, its archive for `bourse doctor ingest`, and the secrets whose values are put by hand."
  value = {
    function_name         = module.ingest.function_name
    dead_letter_queue_url = module.ingest.dead_letter_queue_url
    archive_url           = module.archive.url
    secret_arns           = module.ingest.secret_arns
  }
}

output "repository_urls" {
  description = "Where images are pushed."
  value       = module.registry.repository_urls
}

output "nat_public_ips" {
  description = "The addresses that the sources see."
  value       = module.network.nat_public_ips
}

output "dashboard_name" {
  description = "Name of the dashboard in CloudWatch."
  value       = module.observability.dashboard_name
}

output "backup_vault_arns" {
  description = "The vault of backups and that of their copies, or null."
  value       = { vault = module.backup.vault_arn, copy = module.backup.copy_vault_arn }
}
