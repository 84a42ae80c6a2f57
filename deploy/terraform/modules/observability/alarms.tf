# All alarms are made here, so that each has someone who hears it, an end that is heard too,
# and a word on missing data. What they watch is in alarms_*.tf:
#   period        seconds; of the last `of` periods `bad` must be bad. Where periods are missing CloudWatch looks
#                 further back than `of`, so where silence counts, periods are short. They slide: a burst of
#                 two minutes is in two of five minutes, and `bad` of more is for periods of a minute
#   missing       breaching where silence is bad news, notBreaching where it is none
#   metrics       instead of metric: several by id, for `expression`
locals {
  alarms = merge(local.edge_alarms, local.cluster_alarms, local.database_alarms, local.ingest_alarms)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.means
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  treat_missing_data  = each.value.missing
  comparison_operator = each.value.is
  threshold           = each.value.threshold
  evaluation_periods  = each.value.of
  datapoints_to_alarm = each.value.bad

  namespace   = try(each.value.namespace, null)
  metric_name = try(each.value.metric, null)
  dimensions  = try(each.value.dimensions, null)
  period      = try(each.value.metric, null) == null ? null : each.value.period
  statistic   = try(each.value.statistic, null)

  dynamic "metric_query" {
    for_each = try(each.value.metrics, {})

    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.statistic
        period      = each.value.period
      }
    }
  }

  dynamic "metric_query" {
    for_each = try([each.value.expression], [])

    content {
      id          = "result"
      expression  = metric_query.value
      label       = each.value.means
      return_data = true
    }
  }
}
