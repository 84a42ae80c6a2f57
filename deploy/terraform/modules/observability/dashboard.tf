locals {
  # What Kubernetes did, of the events that Fluent Bit writes into a stream of their own (deploy/observability). CloudWatch draws
  # no lines at times that it finds by itself, so these are graphs of counts with the time axis of the page.
  events = "SOURCE '${aws_cloudwatch_log_group.container_insights["application"].name}' | filter @logStream = 'kubernetes-events'"

  event_counts = join(" | ", [
    local.events,
    join(", ", [
      # A release, a change of settings and a rollback each scale up a set of replicas from nothing; the autoscaler never does.
      "fields strcontains(reason, 'ScalingReplicaSet') * strcontains(message, 'Scaled up') * strcontains(message, ' from 0 to ') as rollout",
      "strcontains(reason, 'SuccessfulRescale') as rescale",
      "strcontains(reason, 'Evict') + strcontains(reason, 'OOMKill') + strcontains(reason, 'SystemOOM') as eviction",
      "strcontains(reason, 'BackOff') + strcontains(reason, 'Unhealthy') + strcontains(reason, 'FailedScheduling') as trouble",
      "strcontains(reason, 'NodeNotReady') as lost_node",
    ]),
    "stats sum(rollout) as Rollouts, sum(rescale) as Autoscaler, sum(eviction) as Evictions, sum(trouble) as Trouble, sum(lost_node) as LostNodes by bin(1m)",
  ])

  event_list = join(" | ", [
    local.events,
    "filter type = 'Warning' or reason in ['ScalingReplicaSet', 'SuccessfulRescale', 'NodeNotReady', 'NodeReady', 'RemovingNode']",
    "fields @timestamp, reason, involvedObject.kind as kind, involvedObject.name as name, message",
    "sort @timestamp desc | limit 200",
  ])

  # Of all workloads of bourse's names, in any namespace: Container Insights calls a Deployment PodName.
  workload = "{ContainerInsights,ClusterName,Namespace,PodName} ClusterName=\"${var.cluster_name}\" PodName=(\"bourse-api\" OR \"bourse-web\")"

  # title, unit and the metrics of each graph, in the order of the page
  graphs = concat(
    [
      { title = "Replicas", left = "pods", metrics = [
        for metric, label in { replicas_desired = "desired", replicas_ready = "ready", status_replicas_unavailable = "unavailable" } :
        [{ expression = "SEARCH('${local.workload} MetricName=\"${metric}\"', 'Maximum', 60)", id = metric, label = "$${PROP('Dim.PodName')} ${label}" }]
      ] },
      { title = "CPU and memory of limits", left = "%", metrics = [
        for metric, label in { pod_cpu_utilization_over_pod_limit = "CPU", pod_memory_utilization_over_pod_limit = "memory" } :
        [{ expression = "SEARCH('${local.workload} MetricName=\"${metric}\"', 'Maximum', 60)", id = metric, label = "$${PROP('Dim.PodName')} ${label}" }]
      ] },
      { title = "Restarts", left = "containers", metrics = [
        [{ expression = "SEARCH('${local.workload} MetricName=\"pod_number_of_container_restarts\"', 'Sum', 60)", id = "restarts", label = "$${PROP('Dim.PodName')}" }]
      ] },
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
      [for i, view in ["timeSeries", "table"] : {
        type = "log", x = i * 12, y = 4, width = 12, height = 6
        properties = {
          title  = ["What Kubernetes did", "Events, newest first"][i]
          region = var.region
          view   = view
          query  = [local.event_counts, local.event_list][i]
        }
      }],
      [for i, g in local.graphs : {
        type = "metric", x = (i % 2) * 12, y = 10 + floor(i / 2) * 6, width = 12, height = 6
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
