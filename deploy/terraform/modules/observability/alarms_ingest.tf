locals {
  function = { FunctionName = var.ingest.function_name }

  ingest_alarms = merge(
    {
      ingest-errors = {
        means      = "Runs of the function fail: three within half an hour."
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = local.function
        statistic  = "Sum"
        is         = "GreaterThanOrEqualToThreshold"
        threshold  = 3
        period     = 1800 # of a source that is asked every ten minutes, a shorter one has now two errors and now four
        bad        = 1
        of         = 1
        missing    = "notBreaching"
      }

      ingest-throttled = {
        means      = "Runs are turned away: the function's concurrency, or the account's, is used up."
        namespace  = "AWS/Lambda"
        metric     = "Throttles"
        dimensions = local.function
        statistic  = "Sum"
        is         = "GreaterThanThreshold"
        threshold  = 2
        period     = 900
        bad        = 1
        of         = 1
        missing    = "notBreaching"
      }

      ingest-slow = {
        means      = "A run took more than 80 % of the function's timeout: it soon stops before its end."
        namespace  = "AWS/Lambda"
        metric     = "Duration" # milliseconds
        dimensions = local.function
        statistic  = "Maximum"
        is         = "GreaterThanThreshold"
        threshold  = var.ingest.timeout * 1000 * 0.8
        period     = 900
        bad        = 2
        of         = 2
        missing    = "notBreaching"
      }

      ingest-waiting = {
        means      = "An event has waited for more than ten minutes to be run."
        namespace  = "AWS/Lambda"
        metric     = "AsyncEventAge" # milliseconds
        dimensions = local.function
        statistic  = "Maximum"
        is         = "GreaterThanThreshold"
        threshold  = 600000
        period     = 300
        bad        = 2
        of         = 2
        missing    = "notBreaching"
      }

      ingest-lost = {
        means      = "The record of a failed run could not be kept for `bourse redrive`."
        namespace  = "AWS/Lambda"
        metric     = "DestinationDeliveryFailures"
        dimensions = local.function
        statistic  = "Sum"
        is         = "GreaterThanThreshold"
        threshold  = 0
        period     = 300
        bad        = 1
        of         = 1
        missing    = "notBreaching"
      }

      ingest-dead-letters = {
        means      = "Runs have failed for good; look at why and run them again with `bourse redrive`."
        namespace  = "AWS/SQS"
        metric     = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = var.ingest.dead_letter_queue_name }
        statistic  = "Maximum"
        is         = "GreaterThanThreshold"
        threshold  = 0
        period     = 300
        bad        = 1
        of         = 1
        missing    = "notBreaching" # a queue that was empty for six hours reports nothing
      }

      ingest-undelivered = {
        means      = "Scheduler gave up on events: it may not invoke the function, or Lambda is down."
        namespace  = "AWS/Scheduler"
        metric     = "InvocationDroppedCount"
        dimensions = { ScheduleGroup = var.ingest.schedule_group_name }
        statistic  = "Sum"
        is         = "GreaterThanThreshold"
        threshold  = 0
        period     = 300
        bad        = 1
        of         = 1
        missing    = "notBreaching"
      }
    },

    # Our own metrics: the function writes them to its log in EMF, namespace bourse, dimensions
    # function and source. A run that succeeded reports rows, revisions, quarantined (counts)
    # and lag, the seconds that the oldest bar which the calendar expects is overdue, 0 where
    # none is missing; every run reports duration (seconds), and quota_left where there is one.
    { for source, limit in var.ingest.sources : "ingest-${source}-overdue" => {
      means      = "A bar of ${source} that its calendar expects is missing for more than ${limit.overdue_minutes} minutes."
      namespace  = "bourse"
      metric     = "lag"
      dimensions = { function = var.ingest.function_name, source = source }
      statistic  = "Minimum" # one run that finds nothing missing is enough
      is         = "GreaterThanThreshold"
      threshold  = limit.overdue_minutes * 60
      period     = 900 # that of the last run of a day has no earlier ones, which were not late yet
      bad        = 1
      of         = 1
      missing    = "ignore" # between the hours of a schedule, what the last run said holds
    } },
    { for source, limit in var.ingest.sources : "ingest-${source}-silent" => {
      means      = "No run of ${source} has succeeded for ${limit.silent_hours} hours."
      namespace  = "bourse"
      metric     = "lag"
      dimensions = { function = var.ingest.function_name, source = source }
      statistic  = "SampleCount"
      is         = "LessThanThreshold"
      threshold  = 1
      period     = 300 # of an hour, CloudWatch looks back three or more to find one that is not missing
      bad        = limit.silent_hours * 12
      of         = limit.silent_hours * 12
      missing    = "breaching"
    } },
    { for source, limit in var.ingest.sources : "ingest-${source}-quarantined" => {
      means      = "Rows of ${source} were put into quarantine: look at /api/v1/quarantine."
      namespace  = "bourse"
      metric     = "quarantined"
      dimensions = { function = var.ingest.function_name, source = source }
      statistic  = "Sum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      period     = 3600
      bad        = 1
      of         = 1
      missing    = "notBreaching"
    } },
  )
}
