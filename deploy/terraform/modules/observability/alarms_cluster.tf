locals {
  cluster = { ClusterName = var.cluster_name }

  cluster_alarms = {
    cluster-nodes = {
      means      = "A node has failed, or the cluster reports nothing."
      namespace  = "ContainerInsights"
      metric     = "cluster_failed_node_count"
      dimensions = local.cluster
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      period     = 60
      bad        = 8 # an update of the agents is silent for five minutes
      of         = 12
      missing    = "breaching"
    }

    cluster-disk = {
      means      = "A node's disk is more than 85 % full: its pods will be evicted."
      namespace  = "ContainerInsights"
      metric     = "node_filesystem_utilization"
      dimensions = local.cluster
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 85
      period     = 300
      bad        = 3
      of         = 3
      missing    = "notBreaching"
    }

    cluster-crashes = {
      means      = "A container crashes again and again."
      namespace  = "ContainerInsights"
      metric     = "pod_container_status_waiting_reason_crash_loop_back_off"
      dimensions = local.cluster
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      period     = 60
      bad        = 5
      of         = 15
      missing    = "notBreaching"
    }

    cluster-pending = {
      means      = "A pod has waited for a node for 15 minutes: the autoscaler cannot help."
      namespace  = "ContainerInsights"
      metric     = "pod_status_pending"
      dimensions = local.cluster
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      period     = 60
      bad        = 15
      of         = 15
      missing    = "notBreaching"
    }
  }
}
