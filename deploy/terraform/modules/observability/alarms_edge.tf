locals {
  load_balancer = { LoadBalancer = var.edge.load_balancer_arn_suffix }
  target_group  = { LoadBalancer = var.edge.load_balancer_arn_suffix, TargetGroup = var.edge.target_group_arn_suffix }

  edge_alarms = {
    edge-errors = {
      means = "More than 1 % of requests get a 5xx, from web or from the load balancer itself."
      metrics = {
        requests = { namespace = "AWS/ApplicationELB", metric = "RequestCount", dimensions = local.load_balancer, statistic = "Sum" }
        own      = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.load_balancer, statistic = "Sum" }
        pods     = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.load_balancer, statistic = "Sum" }
      }
      # A count that is zero is not reported, requests that found no pod are not among RequestCount, and
      # one error is no rate.
      expression = "IF(FILL(own, 0) + FILL(pods, 0) >= 2, 100 * (FILL(own, 0) + FILL(pods, 0)) / (FILL(requests, 0) + FILL(own, 0)), 0)"
      is         = "GreaterThanThreshold"
      threshold  = 1
      period     = 60
      bad        = 6  # a failover takes two
      of         = 15 # data come late, and FILL makes zeros of what is not there yet
      missing    = "notBreaching"
    }

    edge-slow = {
      means = "One request in a hundred of half an hour waited for more than a second."
      metrics = {
        requests = { namespace = "AWS/ApplicationELB", metric = "RequestCount", dimensions = local.load_balancer, statistic = "Sum" }
        slowest  = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.load_balancer, statistic = "p99" }
      }
      # An alarm on the percentile itself either minds one slow request at night, or holds its state
      # where there are not a thousand requests in what it looks at.
      expression = "IF(FILL(requests, 0) >= 300, FILL(slowest, 0), 0)"
      is         = "GreaterThanThreshold"
      threshold  = 1
      period     = 1800
      bad        = 1
      of         = 1
      missing    = "notBreaching"
    }

    edge-unhealthy = {
      means      = "A pod of web has failed its health check for five minutes."
      namespace  = "AWS/ApplicationELB"
      metric     = "UnHealthyHostCount"
      dimensions = local.target_group
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      period     = 60
      bad        = 5
      of         = 5
      missing    = "notBreaching"
    }

    edge-down = {
      means      = "No pod of web is healthy: nobody is served."
      namespace  = "AWS/ApplicationELB"
      metric     = "HealthyHostCount"
      dimensions = local.target_group
      statistic  = "Maximum"
      is         = "LessThanThreshold"
      threshold  = 1
      period     = 60
      bad        = 2
      of         = 2
      missing    = "breaching"
    }

    edge-blocked = {
      means      = "The firewall blocks more than 1,000 requests in five minutes: an attack, or a rule that hits clients."
      namespace  = "AWS/WAFV2"
      metric     = "BlockedRequests"
      dimensions = { WebACL = var.edge.web_acl_name, Region = var.region, Rule = "ALL" }
      statistic  = "Sum"
      is         = "GreaterThanThreshold"
      threshold  = 1000
      period     = 300
      bad        = 2
      of         = 2
      missing    = "notBreaching"
    }
  }
}
