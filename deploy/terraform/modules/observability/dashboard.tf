locals {
  # title, unit and the metrics of each graph, in the order of the page
  graphs = concat(
    [
      { title = "Requests", left = "a minute", metrics = [
        ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "Sum" }],
        ["AWS/WAFV2", "BlockedRequests", "WebACL", var.edge.web_acl_name, "Region", var.region, "Rule", "ALL", { stat = "Sum" }],
      ] },
      { title = "Time to answer", left = "seconds", metrics = [
        ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "p50" }],
        ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "p99" }],
      ] },
      { title = "Pods of web", left = "pods", metrics = [
        ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", var.edge.target_group_arn_suffix, "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "Minimum" }],
        ["AWS/ApplicationELB", "UnHealthyHostCount", "TargetGroup", var.edge.target_group_arn_suffix, "LoadBalancer", var.edge.load_balancer_arn_suffix, { stat = "Maximum" }],
      ] },
      { title = "Nodes", left = "nodes", metrics = [
        ["ContainerInsights", "cluster_node_count", "ClusterName", var.cluster_name, { stat = "Maximum" }],
        ["ContainerInsights", "cluster_failed_node_count", "ClusterName", var.cluster_name, { stat = "Maximum" }],
      ] },
      { title = "Database", left = "%, connections", metrics = [
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database.identifier, { stat = "Average" }],
        ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database.identifier, { stat = "Maximum" }],
      ] },
      { title = "Runs of the function", left = "runs", metrics = [
        ["AWS/Lambda", "Invocations", "FunctionName", var.ingest.function_name, { stat = "Sum" }],
        ["AWS/Lambda", "Errors", "FunctionName", var.ingest.function_name, { stat = "Sum" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.ingest.dead_letter_queue_name, { stat = "Maximum" }],
      ] },
    ],
    [for metric, unit in { lag = "seconds", rows = "rows", revisions = "rows", quarantined = "rows", duration = "seconds", quota_left = "requests" } : {
      title = "Sources: ${metric}", left = unit, metrics = [for source in keys(var.ingest.sources) :
        ["bourse", metric, "function", var.ingest.function_name, "source", source, { stat = contains(["lag", "duration"], metric) ? "Maximum" : metric == "quota_left" ? "Minimum" : "Sum" }]
      ]
    }],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type = "alarm", x = 0, y = 0, width = 24, height = 4
        properties = {
          title  = "Alarms"
          alarms = [for k in sort(keys(local.alarms)) : aws_cloudwatch_metric_alarm.this[k].arn]
        }
      }],
      [for i, g in local.graphs : {
        type = "metric", x = (i % 2) * 12, y = 4 + floor(i / 2) * 6, width = 12, height = 6
        properties = {
          title   = g.title
          region  = var.region
          period  = 60
          view    = "timeSeries"
          metrics = g.metrics
          yAxis   = { left = { label = g.left, min = 0 } }
        }
      }]
    )
  })
}
