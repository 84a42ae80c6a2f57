# From nothing to all of it in one plan, with the variables of terraform.tfvars.example
# (tests/example.auto.tfvars is that file).

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1", name = "eu-central-1", region = "eu-central-1" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/here" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::here", region = "eu-central-1" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:alarms" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf" }
  }

  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "Y2VydGlmaWNhdGU=" }] }
  }

  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "eks-a" }], remote_access_security_group_id = "" }] }
  }

  mock_resource "aws_db_instance" {
    defaults = { arn = "arn:aws:rds:eu-central-1:123456789012:db:a", resource_id = "db-ABC", address = "db.example.com" }
  }

  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/bourse-prod/bourse-api" }
  }

  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/1", arn_suffix = "app/a/1", dns_name = "a.elb.amazonaws.com" }
  }

  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/2", arn_suffix = "targetgroup/a/2" }
  }

  mock_resource "aws_backup_vault" {
    defaults = { arn = "arn:aws:backup:eu-central-1:123456789012:backup-vault:here" }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::there", region = "eu-west-1" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/there" }
  }

  mock_resource "aws_backup_vault" {
    defaults = { arn = "arn:aws:backup:eu-west-1:123456789012:backup-vault:there" }
  }
}

run "environment" {
  assert {
    condition     = length(module.network.nat_public_ips) == 3
    error_message = "Production has a NAT gateway in each zone: the loss of one zone must not cut off the others."
  }

  assert {
    condition     = local.database.multi_az && !local.disposable && module.database.final_snapshot != null
    error_message = "Production's database has a standby in another zone and is protected from deletion, which leaves a snapshot."
  }

  assert {
    condition     = module.backup.copy_vault_arn != null && module.archive.replica_bucket != null
    error_message = "Production's backups and archive must outlive the region."
  }

  assert {
    condition     = startswith(output.url, "https://")
    error_message = "Production must not serve keys in the clear."
  }

  # alarms

  assert {
    condition = alltrue([for alarm, dimensions in module.observability.alarm_dimensions : alltrue([for name, value in dimensions : contains({
      LoadBalancer         = [module.edge.load_balancer_arn_suffix]
      TargetGroup          = [module.edge.target_group_arn_suffix]
      WebACL               = [module.edge.web_acl_name]
      Region               = [var.region]
      Rule                 = ["ALL"]
      ClusterName          = [module.cluster.name]
      DBInstanceIdentifier = [module.database.identifier]
      FunctionName         = [module.ingest.function_name]
      QueueName            = [module.ingest.dead_letter_queue_name]
      ScheduleGroup        = [module.ingest.schedule_group_name]
      function             = [module.ingest.function_name]
      source               = keys(module.ingest.schedule_names)
    }[name], value)])])
    error_message = "An alarm watches something that is not in this plan; it would never have data."
  }

  assert {
    condition = alltrue([for source in keys(module.ingest.schedule_names) :
      contains(keys(module.observability.alarm_names), "ingest-${source}-overdue") && contains(keys(module.observability.alarm_names), "ingest-${source}-silent")
    ])
    error_message = "Each source that is scheduled must be watched for lateness and silence."
  }

  assert {
    condition     = alltrue([for name in values(module.observability.log_group_names) : startswith(name, "/aws/containerinsights/${module.cluster.name}/")])
    error_message = "The agents of the cluster write to log groups under its name."
  }

  # values of the chart

  assert {
    condition = output.values.image.repository == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/bourse-prod" && toset(keys(output.repository_urls)) == toset(
    ["bourse-api", "bourse-web", "bourse-ingest", "bourse-migrate"])
    error_message = "The chart pulls <image.repository>/bourse-{api,web,ingest,migrate}."
  }

  assert {
    condition     = output.values.database.url == "postgres://db.example.com:${module.database.port}/${module.database.database_name}?auth=iam"
    error_message = "The database's address must have no password."
  }

  assert {
    condition = (
      output.values.targetGroup.arn == module.edge.target_group_arn && output.values.targetGroup.securityGroup == "" &&
      output.values.termination.deregistrationDelaySeconds == module.edge.deregistration_delay
    )
    error_message = "The chart must join the target group, with its delay, and leave the security group to edge."
  }

  assert {
    condition     = strcontains(file("${path.root}/README.md"), file("${path.root}/terraform.tfvars.example")) && local.environment != ""
    error_message = "README.md must show terraform.tfvars.example as it is."
  }

  # environments differ in values only

  assert {
    condition = alltrue([for f in ["main.tf", "outputs.tf", "providers.tf", "variables.tf", "versions.tf"] :
      file("${path.root}/../dev/${f}") == file("${path.root}/${f}")
    ]) && local.environment != ""
    error_message = "dev and prod differ in environment.tf only; copy the other files."
  }
}

run "refuses_a_copy_in_the_same_region_and_zones_elsewhere" {
  command = plan
  variables {
    replica_region = "eu-central-1"
    zones          = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  }
  expect_failures = [var.replica_region, var.zones]
}
