mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name           = "bourse-test"
  region         = "eu-central-1"
  retention_days = 30
  emails         = ["ops@example.com", "cto@example.com"]
  cluster_name   = "the-cluster"
  edge = {
    load_balancer_arn_suffix = "app/the-alb/1"
    target_group_arn_suffix  = "targetgroup/the-web/2"
    web_acl_name             = "the-acl"
  }
  database = { identifier = "the-database", storage_gb = 20, max_connections = 100 }
  ingest = {
    function_name          = "the-function"
    timeout                = 300
    dead_letter_queue_name = "the-queue"
    schedule_group_name    = "the-group"
    sources = {
      ecb      = { overdue_minutes = 120, silent_hours = 24 }
      coinbase = { overdue_minutes = 30, silent_hours = 1 }
    }
  }
  budget_usd = 100
}

run "observability" {
  # logs

  assert {
    condition     = toset([for g in aws_cloudwatch_log_group.container_insights : g.name]) == toset([for s in ["application", "dataplane", "host", "performance"] : "/aws/containerinsights/the-cluster/${s}"])
    error_message = "The agents' log groups must be there under the names that they write to."
  }

  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.container_insights : g.kms_key_id == aws_kms_key.logs.arn && g.retention_in_days == 30])
    error_message = "Log groups need the key and an end."
  }

  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.log_key.statement :
      anytrue([for p in s.principals : contains(p.identifiers, "logs.eu-central-1.amazonaws.com")]) &&
      anytrue([for c in s.condition : c.variable == "kms:EncryptionContext:aws:logs:arn" && contains(c.values, "arn:aws:logs:eu-central-1:123456789012:log-group:*")])
    ])
    error_message = "CloudWatch Logs of this region must be let to use the key, for log groups of this account only."
  }

  assert {
    condition     = aws_kms_key.logs.enable_key_rotation && aws_kms_key.topic.enable_key_rotation
    error_message = "Keys must rotate."
  }

  # who is told

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.topic.arn
    error_message = "The topic needs a key of ours: AWS's own lets no alarm in."
  }

  assert {
    condition = toset(flatten([for s in data.aws_iam_policy_document.topic_key.statement : [for p in s.principals : p.identifiers if p.type == "Service"]])) == toset(
    flatten([for s in data.aws_iam_policy_document.topic.statement : [for p in s.principals : p.identifiers]]))
    error_message = "Who may publish must be able to encrypt, or what they say is lost without an error."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.topic.statement :
      toset(s.actions) == toset(["sns:Publish"]) && toset([for c in s.condition : c.variable]) == toset(["aws:SourceAccount", "aws:SourceArn"])
    ])
    error_message = "Services may publish for this account only."
  }

  assert {
    condition     = toset([for s in aws_sns_topic_subscription.email : s.endpoint]) == var.emails
    error_message = "All addresses must be subscribed."
  }

  assert {
    condition     = contains(aws_db_event_subscription.database.event_categories, "failover") && aws_db_event_subscription.database.source_ids == toset(["the-database"])
    error_message = "A failover must be heard of."
  }

  assert {
    condition = (
      toset([for n in aws_budgets_budget.month.notification : "${n.notification_type} ${n.threshold}"]) == toset(["ACTUAL 80", "ACTUAL 100", "FORECASTED 100"]) &&
      alltrue([for n in aws_budgets_budget.month.notification : n.subscriber_sns_topic_arns == toset([aws_sns_topic.alarms.arn])]) &&
      tonumber(aws_budgets_budget.month.limit_amount) == 100
    )
    error_message = "The budget must be heard of at 80 and 100 %, and when 100 % is foreseen."
  }

  # alarms

  assert {
    condition = alltrue([for a in aws_cloudwatch_metric_alarm.this :
      a.alarm_actions == toset([aws_sns_topic.alarms.arn]) && a.ok_actions == toset([aws_sns_topic.alarms.arn]) && length(a.alarm_description) > 20
    ])
    error_message = "Each alarm must be heard, and its end too, and say what it means."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : contains(["breaching", "notBreaching", "ignore"], a.treat_missing_data)])
    error_message = "Each alarm must say what missing data are."
  }

  assert {
    condition = alltrue([for k in ["edge-down", "cluster-nodes", "database-cpu", "ingest-ecb-silent", "ingest-coinbase-silent"] :
      aws_cloudwatch_metric_alarm.this[k].treat_missing_data == "breaching"
    ])
    error_message = "Where a system that is gone reports nothing, silence must alarm."
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : a.datapoints_to_alarm <= a.evaluation_periods && coalesce(a.period, 60) * a.evaluation_periods <= 86400])
    error_message = "CloudWatch looks back a day at most."
  }

  assert {
    condition = output.alarm_dimensions == {
      edge-errors                 = { LoadBalancer = "app/the-alb/1" }
      edge-slow                   = { LoadBalancer = "app/the-alb/1" }
      edge-unhealthy              = { LoadBalancer = "app/the-alb/1", TargetGroup = "targetgroup/the-web/2" }
      edge-down                   = { LoadBalancer = "app/the-alb/1", TargetGroup = "targetgroup/the-web/2" }
      edge-blocked                = { WebACL = "the-acl", Region = "eu-central-1", Rule = "ALL" }
      cluster-nodes               = { ClusterName = "the-cluster" }
      cluster-disk                = { ClusterName = "the-cluster" }
      cluster-crashes             = { ClusterName = "the-cluster" }
      cluster-pending             = { ClusterName = "the-cluster" }
      database-cpu                = { DBInstanceIdentifier = "the-database" }
      database-storage            = { DBInstanceIdentifier = "the-database" }
      database-connections        = { DBInstanceIdentifier = "the-database" }
      database-memory             = { DBInstanceIdentifier = "the-database" }
      ingest-errors               = { FunctionName = "the-function" }
      ingest-throttled            = { FunctionName = "the-function" }
      ingest-slow                 = { FunctionName = "the-function" }
      ingest-waiting              = { FunctionName = "the-function" }
      ingest-lost                 = { FunctionName = "the-function" }
      ingest-dead-letters         = { QueueName = "the-queue" }
      ingest-undelivered          = { ScheduleGroup = "the-group" }
      ingest-ecb-overdue          = { function = "the-function", source = "ecb" }
      ingest-ecb-silent           = { function = "the-function", source = "ecb" }
      ingest-ecb-quarantined      = { function = "the-function", source = "ecb" }
      ingest-coinbase-overdue     = { function = "the-function", source = "coinbase" }
      ingest-coinbase-silent      = { function = "the-function", source = "coinbase" }
      ingest-coinbase-quarantined = { function = "the-function", source = "coinbase" }
    }
    error_message = "Each alarm must watch what there is, by the dimensions that its service reports: with others it never has data."
  }

  assert {
    condition     = toset(keys(output.alarm_dimensions)) == toset(keys(aws_cloudwatch_metric_alarm.this))
    error_message = "An alarm was left out."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["ingest-ecb-overdue"].threshold == 7200 && aws_cloudwatch_metric_alarm.this["ingest-ecb-silent"].evaluation_periods == 24 * 12 &&
      aws_cloudwatch_metric_alarm.this["ingest-slow"].threshold == 240000 &&
      aws_cloudwatch_metric_alarm.this["database-storage"].threshold == 20 * pow(1024, 3) * 0.07 &&
      aws_cloudwatch_metric_alarm.this["database-connections"].threshold == 80
    )
    error_message = "Thresholds must be in the metric's unit: seconds, milliseconds, bytes, connections."
  }

  assert {
    condition = (
      alltrue([for k in ["edge-errors", "edge-slow"] : length([for q in aws_cloudwatch_metric_alarm.this[k].metric_query : q if q.return_data == true]) == 1]) &&
      aws_cloudwatch_metric_alarm.this["edge-errors"].metric_name == null
    )
    error_message = "Of a rate's metrics one alone is watched: the rate."
  }

  # dashboard

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.alarms) == length(aws_cloudwatch_metric_alarm.this)
    error_message = "The dashboard must show all alarms."
  }

  assert {
    condition = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.x + w.width <= 24 && try(w.properties.region, var.region) == var.region]) && length(distinct(
      [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${w.x} ${w.y}"]
    )) == length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)
    error_message = "Widgets must be on the page, each in a place of its own, and of this region."
  }

  assert {
    condition = [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.view if w.type == "log"] == ["timeSeries", "table"] && alltrue(
      [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
        startswith(w.properties.query, "SOURCE '/aws/containerinsights/the-cluster/application' | filter @logStream = 'kubernetes-events' | ") &&
        alltrue([for word in ["ScalingReplicaSet", "SuccessfulRescale", "NodeNotReady"] : strcontains(w.properties.query, word)])
      if w.type == "log"]
    )
    error_message = "Deploys, the autoscaler and lost nodes must be on the page's time axis, from where Fluent Bit writes events."
  }

  assert {
    condition = toset(flatten([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      [for m in try(w.properties.metrics, []) : regex("MetricName=\"([a-z_]+)\"", m[0].expression) if can(m[0].expression) && strcontains(try(m[0].expression, ""), "ClusterName=\"the-cluster\"")]
      ])) == toset([
      "replicas_desired", "replicas_ready", "status_replicas_unavailable",
      "pod_cpu_utilization_over_pod_limit", "pod_memory_utilization_over_pod_limit", "pod_number_of_container_restarts",
    ])
    error_message = "What the cluster's agent says of replicas and their resources must be shown, of this cluster."
  }
}

run "refuses_what_is_wrong" {
  command = plan
  variables {
    name           = "B"
    region         = "Frankfurt"
    retention_days = 0
    emails         = []
    budget_usd     = 0
    ingest = {
      function_name          = "the-function"
      timeout                = 300
      dead_letter_queue_name = "the-queue"
      schedule_group_name    = "the-group"
      sources                = { ecb = { overdue_minutes = 0, silent_hours = 72 } }
    }
  }
  expect_failures = [var.name, var.region, var.retention_days, var.emails, var.budget_usd, var.ingest]
}
