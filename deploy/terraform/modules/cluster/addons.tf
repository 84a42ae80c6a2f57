locals {
  # Versions for Kubernetes 1.35, as people wrote down in 2026 what
  # `aws eks describe-addon-versions --kubernetes-version 1.35` gave them; ask it before an upgrade.
  addon_versions = {
    # From one report of AWS's defaults for 1.35.
    vpc-cni                = "v1.22.4-eksbuild.3"
    eks-pod-identity-agent = "v1.3.10-eksbuild.3"
    coredns                = "v1.13.2-eksbuild.31"
    kube-proxy             = "v1.35.3-eksbuild.29"
    aws-ebs-csi-driver     = "v1.66.0-eksbuild.1"
    # From a list of AWS's versions for 1.35.
    metrics-server = "v0.9.0-eksbuild.5"
    # The same list. Chart 6.4.0: its notes are what the settings below were written against.
    amazon-cloudwatch-observability = "v6.4.0-eksbuild.1"
  }

  # No pod gets an address without the first, nor a role without the second.
  before_nodes = toset(["eks-pod-identity-agent", "vpc-cni"])

  addon_settings = {
    vpc-cni = {
      enableNetworkPolicy = "true" # the chart's policies hold
    }

    # All that costs money is said: the defaults changed three times in 2026.
    amazon-cloudwatch-observability = {
      # Fluent Bit. What it does is in deploy/observability/fluent-bit, which the file is written from.
      containerLogs         = { enabled = true, fluentBit = { config = jsondecode(file("${path.module}/fluent-bit.json")) } }
      containerInsights     = { enabled = true }  # what observability's alarms name
      otelContainerInsights = { enabled = false } # the same again, at a price of its own
      applicationSignals    = { enabled = false } # traces of languages that we do not use
      manager               = { applicationSignals = { autoMonitor = { monitorAllServices = false } } }
      dcgmExporter          = { enabled = false } # GPUs
      neuronMonitor         = { enabled = false }
    }
  }

  addons = {
    for name, version in merge(local.addon_versions, var.addons) :
    name => { version = version, settings = try(jsonencode(local.addon_settings[name]), null) }
  }
}

resource "aws_eks_addon" "before_nodes" {
  for_each = { for name, addon in local.addons : name => addon if contains(local.before_nodes, name) }

  cluster_name         = aws_eks_cluster.this.name
  addon_name           = each.key
  addon_version        = each.value.version
  configuration_values = each.value.settings
  # EKS gives a new cluster vpc-cni, coredns and kube-proxy of its own; the add-ons take them
  # over. What somebody changes by hand in the cluster goes with the next update.
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  depends_on = [aws_eks_pod_identity_association.this]
}

# coredns and metrics-server are not active before there is a node for their pods.
resource "aws_eks_addon" "after_nodes" {
  for_each = { for name, addon in local.addons : name => addon if !contains(local.before_nodes, name) }

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = each.value.version
  configuration_values        = each.value.settings
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  depends_on = [aws_eks_node_group.this]
}
