output "log_key_arn" {
  description = "ARN of the key of all log groups. Who knows it comes after Container Insights' log groups, and goes before them."
  value       = aws_kms_key.logs.arn

  # So an agent of the cluster can neither make one of these groups before us nor again after us.
  depends_on = [aws_cloudwatch_log_group.container_insights]
}

output "topic_arn" {
  description = "ARN of the topic of all alarms."
  value       = aws_sns_topic.alarms.arn
}

output "log_group_names" {
  description = "Names of Container Insights' log groups, by what they hold."
  value       = { for k, g in aws_cloudwatch_log_group.container_insights : k => g.name }
}

output "alarm_names" {
  description = "Names of all alarms, by what they watch."
  value       = { for k, a in aws_cloudwatch_metric_alarm.this : k => a.alarm_name }
}

output "alarm_dimensions" {
  description = "The dimensions of what each alarm watches."
  value       = { for k, a in local.alarms : k => merge(try(a.dimensions, {}), try(values(a.metrics)[*].dimensions, [])...) }
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
