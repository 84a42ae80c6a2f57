module "observability" {
  source = "../" # modules/observability

  name           = "bourse-prod"
  region         = "eu-central-1"
  retention_days = 90
  emails         = ["ops@example.com"]
  cluster_name   = "bourse-prod"
  edge = {
    load_balancer_arn_suffix = "app/bourse-prod/50dc6c495c0c9188"
    target_group_arn_suffix  = "targetgroup/bourse-prod-web/73e2d6bc24d8a067"
    web_acl_name             = "bourse-prod"
  }
  database = { identifier = "bourse-prod", storage_gb = 100, max_connections = 400 }
  ingest = {
    function_name          = "bourse-prod-ingest"
    timeout                = 300
    dead_letter_queue_name = "bourse-prod-ingest-dead-letters"
    schedule_group_name    = "bourse-prod-ingest"
    sources = {
      ecb      = { overdue_minutes = 120, silent_hours = 24 }
      coinbase = { overdue_minutes = 30, silent_hours = 1 }
    }
  }
  budget_usd = 900
}

output "alarms" {
  value = module.observability.alarm_names
}
