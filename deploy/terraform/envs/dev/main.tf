# The bill of materials. This file is the same in all environments; they differ in
# environment.tf only.

locals {
  name = "bourse-${local.environment}"
  tags = { project = "bourse", environment = local.environment, managed-by = "terraform" }
  logs = { key_arn = module.observability.log_key_arn, retention_days = local.log_days }

  # A user of PostgreSQL for each component, so that none can do another's work.
  database_users = { api = "bourse_api", ingest = "bourse_ingest", migrate = "bourse_migrate" }
}

module "network" {
  source = "../../modules/network"

  name                = local.name
  cidr                = local.cidr
  apart_from          = var.apart_from
  zones               = var.zones
  nat                 = local.nat
  interface_endpoints = local.interface_endpoints
  logs                = local.logs
}

module "cluster" {
  source = "../../modules/cluster"

  name     = local.name
  network  = { vpc_id = module.network.vpc_id, private_subnet_ids = zipmap(var.zones, module.network.private_subnet_ids) }
  endpoint = { public_cidrs = var.api_cidrs }
  nodes    = local.nodes
  admins   = var.admins
  logs     = local.logs
  tags     = local.tags
}

module "workload" {
  source = "../../modules/workload"

  name     = local.name
  cluster  = { name = module.cluster.name, arn = module.cluster.arn }
  archive  = { bucket_arn = module.archive.bucket_arn, key_arn = module.archive.key_arn }
  database = { resource_id = module.database.resource_id, users = local.database_users }
  secrets  = { arns = values(module.ingest.secret_arns), key_arn = module.ingest.secret_key_arn }
}

module "database" {
  source = "../../modules/database"

  name                = local.name
  network             = { vpc_id = module.network.vpc_id, subnet_ids = module.network.database_subnet_ids }
  clients             = { pods = module.cluster.node_security_group_id, ingest = module.ingest.security_group_id }
  instance_class      = local.database.instance_class
  storage_gb          = local.database.storage_gb
  multi_az            = local.database.multi_az
  backup_days         = local.database.backup_days
  deletion_protection = !local.disposable
  final_snapshot      = !local.disposable
  logs                = local.logs
}

module "archive" {
  source = "../../modules/archive"

  name          = local.name
  force_destroy = local.disposable
  replicate     = local.replicate_archive

  providers = { aws = aws, aws.replica = aws.replica }
}

module "registry" {
  source = "../../modules/registry"

  name         = local.name
  images       = ["bourse-api", "bourse-web", "bourse-ingest", "bourse-migrate"] # as the chart calls them
  force_delete = local.disposable
}

module "edge" {
  source = "../../modules/edge"

  name                = local.name
  network             = { vpc_id = module.network.vpc_id, public_subnet_ids = module.network.public_subnet_ids }
  pods                = { security_group_id = module.cluster.node_security_group_id }
  certificate_arn     = var.certificate_arn
  plain_http          = var.plain_http
  domain              = var.domain
  deletion_protection = !local.disposable
  access_logs         = { days = local.log_days, force_destroy = local.disposable }
  logs                = local.logs
}

module "ingest" {
  source = "../../modules/ingest"

  name    = local.name
  region  = var.region
  package = var.package
  network = { vpc_id = module.network.vpc_id, subnet_ids = module.network.private_subnet_ids }
  database = {
    address           = module.database.address
    port              = module.database.port
    name              = module.database.database_name
    user              = local.database_users.ingest
    resource_id       = module.database.resource_id
    security_group_id = module.database.security_group_id
  }
  archive              = { url = module.archive.url, bucket_arn = module.archive.bucket_arn, key_arn = module.archive.key_arn }
  schedules            = local.sources
  concurrency          = local.lambda_concurrency
  secret_recovery_days = local.disposable ? 0 : 30
  logs                 = local.logs
}

module "observability" {
  source = "../../modules/observability"

  name           = local.name
  region         = var.region
  retention_days = local.log_days
  emails         = var.emails
  cluster_name   = local.name # not cluster's output: its log groups come before the cluster
  edge = {
    load_balancer_arn_suffix = module.edge.load_balancer_arn_suffix
    target_group_arn_suffix  = module.edge.target_group_arn_suffix
    web_acl_name             = module.edge.web_acl_name
  }
  database = {
    identifier      = module.database.identifier
    storage_gb      = local.database.storage_gb.initial
    max_connections = local.database.max_connections
  }
  ingest = {
    function_name          = module.ingest.function_name
    timeout                = module.ingest.timeout
    dead_letter_queue_name = module.ingest.dead_letter_queue_name
    schedule_group_name    = module.ingest.schedule_group_name
    sources                = local.sources
  }
  budget_usd = local.budget_usd
}

module "backup" {
  source = "../../modules/backup"

  name = local.name
  database = {
    arn               = module.database.arn
    subnet_group_name = module.database.subnet_group_name
    security_group_id = module.database.security_group_id
  }
  archive         = { bucket_arn = module.archive.bucket_arn }
  keep_days       = local.backup.keep_days
  lock_min_days   = local.disposable ? 0 : local.backup.lock_min_days
  restore_testing = local.backup.restore_testing
  force_destroy   = local.disposable
  notifications   = { topic_arn = module.observability.topic_arn }

  providers = { aws = aws, aws.replica = aws.replica }
}
