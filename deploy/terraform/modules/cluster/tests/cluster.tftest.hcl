mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/secrets" }
  }

  mock_resource "aws_security_group" {
    defaults = { arn = "arn:aws:ec2:eu-central-1:123456789012:security-group/a" }
  }

  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "Y2VydGlmaWNhdGU=" }] }
  }

  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "eks-a" }], remote_access_security_group_id = "" }] }
  }
}

variables {
  name = "bourse-test"
  network = {
    vpc_id             = "vpc-1"
    private_subnet_ids = { eu-central-1a = "subnet-a", eu-central-1b = "subnet-b", eu-central-1c = "subnet-c" }
  }
  endpoint = { public_cidrs = ["203.0.113.7/32"] }
  nodes    = { instance_types = ["t4g.large"], min = 1, desired = 2, max = 3 }
  admins   = ["arn:aws:iam::123456789012:role/admin"]
  logs     = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 30 }
  tags     = { project = "bourse" }
}

run "only_the_given_addresses_reach_the_api" {
  command = plan

  assert {
    condition = (
      aws_eks_cluster.this.vpc_config[0].endpoint_private_access && aws_eks_cluster.this.vpc_config[0].endpoint_public_access &&
      toset(aws_eks_cluster.this.vpc_config[0].public_access_cidrs) == toset(["203.0.113.7/32"])
    )
    error_message = "The endpoint must be reached from the VPC and from the given addresses."
  }
}

run "without_addresses_there_is_no_public_endpoint" {
  command = plan

  variables {
    endpoint = {}
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "Nobody was named, so nobody outside may reach the API."
  }
}

run "only_the_listed_administer" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API"
    error_message = "A config map must not give access to the cluster."
  }

  assert {
    condition     = !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Who creates the cluster must not be its administrator by that."
  }

  assert {
    condition = (
      toset([for e in aws_eks_access_entry.admins : e.principal_arn]) == var.admins &&
      alltrue([for a in aws_eks_access_policy_association.admins : endswith(a.policy_arn, "/AmazonEKSClusterAdminPolicy")])
    )
    error_message = "Those who are listed must administer the cluster."
  }
}

run "secrets_are_encrypted_with_a_key_of_ours" {
  assert {
    condition = (
      aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"]) &&
      aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == aws_kms_key.secrets.arn && aws_kms_key.secrets.enable_key_rotation
    )
    error_message = "Kubernetes' secrets must be encrypted with our key, which rotates."
  }
}

run "control_plane_logs_go_into_our_group" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.enabled_cluster_log_types == toset(["api", "audit", "authenticator", "controllerManager", "scheduler"])
    error_message = "All five logs of the control plane must be on."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.control_plane.name == "/aws/eks/bourse-test/cluster" &&
      aws_cloudwatch_log_group.control_plane.kms_key_id == var.logs.key_arn && aws_cloudwatch_log_group.control_plane.retention_in_days == 30
    )
    error_message = "The group must have the name that EKS writes to, the key and the retention."
  }
}

# Terraform shows a test no order, so these read it where it is written.
run "things_are_made_in_order" {
  command = plan

  assert {
    condition     = can(regex("(?s)resource \"aws_eks_cluster\" \"this\" {.*?depends_on = \\[[^]]*aws_cloudwatch_log_group.control_plane,", file("${path.module}/main.tf")))
    error_message = "The log group must be there before the cluster, or EKS makes one without key and end."
  }

  assert {
    condition     = keys(aws_eks_addon.before_nodes) == ["eks-pod-identity-agent", "vpc-cni"]
    error_message = "vpc-cni and the agent of Pod Identity must be there before the nodes."
  }

  assert {
    condition = alltrue([
      for what in ["aws_eks_addon.before_nodes", "aws_eks_pod_identity_association.this", "aws_iam_role_policy_attachment.nodes", "aws_iam_role_policy_attachment.pods"] :
      can(regex("(?s)resource \"aws_eks_node_group\" \"this\" {[^}]*.*?depends_on = \\[[^]]*${what},", file("${path.module}/nodes.tf")))
    ])
    error_message = "Nodes must come after what makes them ready: add-ons, roles and associations."
  }

  assert {
    condition     = keys(aws_eks_addon.after_nodes) == ["amazon-cloudwatch-observability", "aws-ebs-csi-driver", "coredns", "kube-proxy", "metrics-server"]
    error_message = "All other add-ons must be there, and no more."
  }

  assert {
    condition     = can(regex("(?s)\"after_nodes\" {.*?depends_on = \\[aws_eks_node_group.this\\]", file("${path.module}/addons.tf")))
    error_message = "coredns is not active before it has a node: it must come after them."
  }
}

run "addons_are_pinned" {
  command = plan

  variables {
    addons = { coredns = "v1.13.2-eksbuild.11" }
  }

  assert {
    condition = alltrue([
      for addon in concat(values(aws_eks_addon.before_nodes), values(aws_eks_addon.after_nodes)) :
      can(regex("^v[0-9.]+-eksbuild\\.[0-9]+$", addon.addon_version))
    ])
    error_message = "Each add-on must have a version: the newest one changes what runs, and what it costs, without a plan."
  }

  assert {
    condition     = aws_eks_addon.after_nodes["coredns"].addon_version == "v1.13.2-eksbuild.11"
    error_message = "A version that is given must be taken."
  }

  # EKS gives a new cluster its own vpc-cni, coredns and kube-proxy.
  assert {
    condition = alltrue([
      for addon in concat(values(aws_eks_addon.before_nodes), values(aws_eks_addon.after_nodes)) : addon.resolve_conflicts_on_create == "OVERWRITE"
    ])
    error_message = "Add-ons must take over what EKS put there, or they fail to be created."
  }
}

run "what_is_monitored_is_said" {
  command = plan

  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "Without it the chart's network policies are only paper."
  }

  assert {
    condition = (
      jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).containerInsights.enabled &&
      !jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).otelContainerInsights.enabled &&
      !jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).applicationSignals.enabled &&
      !jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).manager.applicationSignals.autoMonitor.monitorAllServices
    )
    error_message = "Container Insights must be on, once, and Application Signals off, whatever the add-on's defaults are."
  }
}

run "logs_go_to_the_groups_that_are_there" {
  command = plan

  assert {
    condition = alltrue([
      for name, text in jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).containerLogs.fluentBit.config.extraFiles :
      strcontains(text, "/aws/containerinsights/$${CLUSTER_NAME}/${trimsuffix(name, "-log.conf")}") && strcontains(text, "auto_create_group        false") && !strcontains(text, "log_retention_days")
    ])
    error_message = "Groups and their retention are observability's: Fluent Bit must name them and make none."
  }

  assert {
    condition     = keys(jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).containerLogs.fluentBit.config.extraFiles) == ["application-log.conf", "dataplane-log.conf", "host-log.conf"]
    error_message = "What is not given is the add-on's own, which makes groups without a key."
  }
}

run "each_zone_has_nodes" {
  command = plan

  assert {
    condition = (
      { for zone, group in aws_eks_node_group.this : zone => group.subnet_ids } ==
      { eu-central-1a = toset(["subnet-a"]), eu-central-1b = toset(["subnet-b"]), eu-central-1c = toset(["subnet-c"]) }
    )
    error_message = "One node group in each zone, or the autoscaler cannot add a node where it is needed."
  }

  assert {
    condition = alltrue([
      for group in aws_eks_node_group.this :
      group.scaling_config[0].min_size == 1 && group.scaling_config[0].desired_size == 2 && group.scaling_config[0].max_size == 3 && group.version == "1.35"
    ])
    error_message = "Each group must have the size and the version that were given."
  }
}

run "nodes_give_pods_nothing" {
  command = plan

  assert {
    condition = (
      aws_launch_template.nodes.metadata_options[0].http_tokens == "required" &&
      aws_launch_template.nodes.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "A pod must not reach the credentials of its node."
  }

  assert {
    condition     = keys(aws_iam_role_policy_attachment.nodes) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
    error_message = "Nodes join the cluster and pull images, and no more: what a pod may do is in its own role."
  }
}

run "disks_are_encrypted_and_tagged" {
  command = plan

  assert {
    condition = alltrue([
      for device in aws_launch_template.nodes.block_device_mappings :
      tobool(device.ebs[0].encrypted) && device.ebs[0].volume_type == "gp3" && tobool(device.ebs[0].delete_on_termination)
    ]) && length(aws_launch_template.nodes.block_device_mappings) == 1
    error_message = "Disks must be encrypted, and go with their node."
  }

  assert {
    condition = (
      toset([for t in aws_launch_template.nodes.tag_specifications : t.resource_type]) == toset(["instance", "volume", "network-interface"]) &&
      alltrue([for t in aws_launch_template.nodes.tag_specifications : t.tags["project"] == "bourse"])
    )
    error_message = "default_tags do not reach instances, volumes and interfaces: they must be tagged here."
  }
}

run "nodes_are_closed_to_the_world" {
  assert {
    condition = (
      alltrue([
        for rule in [
          aws_vpc_security_group_ingress_rule.control_plane,
          aws_vpc_security_group_ingress_rule.nodes_from_control_plane,
          aws_vpc_security_group_ingress_rule.nodes_from_nodes
        ] : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.referenced_security_group_id != null
      ])
    )
    error_message = "Only the control plane and other nodes may reach nodes, and only nodes the control plane."
  }

  assert {
    condition = (
      aws_launch_template.nodes.vpc_security_group_ids == toset([aws_security_group.nodes.id]) &&
      aws_eks_cluster.this.vpc_config[0].security_group_ids == toset([aws_security_group.control_plane.id]) &&
      output.node_security_group_id == aws_security_group.nodes.id && output.cluster_security_group_id == aws_security_group.control_plane.id
    )
    error_message = "Nodes and control plane must have the groups that the outputs name."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.nodes_from_control_plane.from_port <= 9443 && aws_vpc_security_group_ingress_rule.nodes_from_control_plane.to_port >= 10251
    )
    error_message = "The control plane must reach webhooks (9443), kubelets (10250) and metrics-server (10251)."
  }

  assert {
    condition     = output.autoscaling_group_names == { eu-central-1a = "eks-a", eu-central-1b = "eks-a", eu-central-1c = "eks-a" }
    error_message = "Alarms need the names of the groups."
  }
}

run "pods_get_their_own_role_only" {
  assert {
    condition = alltrue([
      for trust in data.aws_iam_policy_document.pods_trust :
      length(trust.statement) == 1 && trust.statement[0].actions == toset(["sts:AssumeRole", "sts:TagSession"]) &&
      one(trust.statement[0].principals).identifiers == toset(["pods.eks.amazonaws.com"])
    ]) && length(data.aws_iam_policy_document.pods_trust) == 6
    error_message = "Pod Identity tags its sessions: without sts:TagSession nobody gets in."
  }

  assert {
    condition = alltrue([
      for name, trust in data.aws_iam_policy_document.pods_trust : { for c in trust.statement[0].condition : c.variable => one(c.values) } == {
        "aws:SourceAccount"                         = "123456789012"
        "aws:SourceArn"                             = "arn:aws:eks:eu-central-1:123456789012:cluster/bourse-test"
        "aws:RequestTag/kubernetes-namespace"       = aws_eks_pod_identity_association.this[name].namespace
        "aws:RequestTag/kubernetes-service-account" = aws_eks_pod_identity_association.this[name].service_account
      }
    ])
    error_message = "A role must be for its own pod of this cluster of this account."
  }

  assert {
    condition = { for name, a in aws_eks_pod_identity_association.this : name => "${a.namespace}/${a.service_account}" } == {
      vpc-cni                  = "kube-system/aws-node"
      ebs-csi                  = "kube-system/ebs-csi-controller-sa"
      cloudwatch               = "amazon-cloudwatch/cloudwatch-agent"
      events                   = "amazon-cloudwatch/fluent-bit-events"
      load-balancer-controller = "kube-system/aws-load-balancer-controller"
      cluster-autoscaler       = "kube-system/cluster-autoscaler"
    }
    error_message = "The accounts must be those of the add-ons and of deploy/platform."
  }

  assert {
    condition     = toset(concat(keys(aws_iam_role_policy_attachment.pods), keys(aws_iam_role_policy.pods))) == toset(keys(aws_iam_role.pods))
    error_message = "Each role must have rights."
  }
}

run "writing_is_bounded" {
  variables {
    service_load_balancers = true
  }

  # What AWS bounds by nothing else may only read, and Container Insights' metrics.
  assert {
    condition = alltrue(flatten([
      for policy in [
        data.aws_iam_policy_document.cloudwatch, data.aws_iam_policy_document.cluster_autoscaler, data.aws_iam_policy_document.events,
        data.aws_iam_policy_document.load_balancer_controller
        ] : [
        for s in policy.statement : [for a in s.actions : can(regex("^[a-z0-9]+:(Describe|Get)", a)) || a == "cloudwatch:PutMetricData"] if contains(s.resources, "*")
      ]
    ]))
    error_message = "No action that writes may be on all resources."
  }

  assert {
    condition = !anytrue(flatten([
      for policy in [
        data.aws_iam_policy_document.cloudwatch, data.aws_iam_policy_document.cluster_autoscaler, data.aws_iam_policy_document.events,
        data.aws_iam_policy_document.load_balancer_controller
      ] : [for s in policy.statement : [for a in s.actions : strcontains(a, "*") || a == "logs:CreateLogGroup"]]
    ]))
    error_message = "Actions must be named, and none may bring a destroyed log group back."
  }

  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.cluster_autoscaler.statement :
      one(s.condition).variable == "aws:ResourceTag/k8s.io/cluster-autoscaler/bourse-test" && one(s.condition).values == tolist(["owned"])
      if anytrue([for a in s.actions : startswith(a, "autoscaling:Set") || startswith(a, "autoscaling:Terminate")])
    ]) && length([for s in data.aws_iam_policy_document.cluster_autoscaler.statement : s if contains(s.actions, "autoscaling:SetDesiredCapacity")]) == 1
    error_message = "The autoscaler must write to the groups of this cluster only."
  }

  # Whatever the controller makes, changes or deletes has its tag, but for targets of our own
  # group, rules of the pods' group, the VPC that a group is made in and AWS's own role.
  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.load_balancer_controller.statement :
      anytrue([for c in s.condition : endswith(c.variable, "/elbv2.k8s.aws/cluster") && c.values == tolist(["bourse-test"])]) ||
      s.actions == toset(["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]) &&
      alltrue([for r in s.resources : endswith(r, ":targetgroup/bourse-test-*/*")]) ||
      s.actions == toset(["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]) &&
      s.resources == toset([aws_security_group.nodes.arn]) ||
      s.actions == toset(["ec2:CreateSecurityGroup"]) && alltrue([for r in s.resources : endswith(r, ":vpc/vpc-1")]) ||
      s.actions == toset(["iam:CreateServiceLinkedRole"])
      if !contains(s.resources, "*")
    ])
    error_message = "The controller must not touch what it has not made."
  }

  assert {
    condition = anytrue([
      for s in data.aws_iam_policy_document.load_balancer_controller.statement : contains(s.actions, "elasticloadbalancing:CreateLoadBalancer")
    ])
    error_message = "With service_load_balancers a Service must get its load balancer."
  }
}

run "the_controller_makes_no_load_balancers_unasked" {
  command = plan

  assert {
    condition = toset(flatten([
      for s in data.aws_iam_policy_document.load_balancer_controller.statement : [for a in s.actions : a if !can(regex(":Describe", a))]
    ])) == toset(["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"])
    error_message = "Where Terraform owns the load balancer, the controller puts pods into its group and nothing else."
  }
}

run "refuses_a_version_out_of_support" {
  command = plan

  variables {
    kubernetes_version = "1.33"
  }

  expect_failures = [var.kubernetes_version]
}

run "refuses_an_endpoint_for_the_world" {
  command = plan

  variables {
    endpoint = { public_cidrs = ["203.0.113.7/32", "0.0.0.0/0"] }
  }

  expect_failures = [var.endpoint]
}

run "refuses_the_world_in_halves" {
  command = plan

  variables {
    endpoint = { public_cidrs = ["0.0.0.0/1", "128.0.0.0/1"] }
  }

  expect_failures = [var.endpoint]
}

run "refuses_the_world_of_ipv6" {
  command = plan

  variables {
    endpoint = { public_cidrs = ["::/0"] }
  }

  expect_failures = [var.endpoint]
}

run "refuses_two_zones" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", private_subnet_ids = { eu-central-1a = "subnet-a", eu-central-1b = "subnet-b" } }
  }

  expect_failures = [var.network]
}

run "refuses_subnets_without_their_zones" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", private_subnet_ids = { a = "subnet-a", b = "subnet-b", c = "subnet-c" } }
  }

  expect_failures = [var.network]
}

run "refuses_a_cluster_without_administrators" {
  command = plan

  variables {
    admins = []
  }

  expect_failures = [var.admins]
}

run "refuses_a_zone_without_nodes" {
  command = plan

  variables {
    nodes = { instance_types = ["t4g.large"], min = 0, desired = 0, max = 3 }
  }

  expect_failures = [var.nodes]
}

run "refuses_unknown_machine_images" {
  command = plan

  variables {
    nodes = { instance_types = ["t4g.large"], min = 1, desired = 1, max = 3, ami_type = "AL2_x86_64" }
  }

  expect_failures = [var.nodes]
}

run "refuses_an_unknown_addon" {
  command = plan

  variables {
    addons = { core-dns = "v1.13.2-eksbuild.11" }
  }

  expect_failures = [var.addons]
}

run "refuses_the_latest_addon" {
  command = plan

  variables {
    addons = { coredns = "latest" }
  }

  expect_failures = [var.addons]
}

run "refuses_a_kube_proxy_ahead_of_its_cluster" {
  command = plan

  variables {
    addons = { kube-proxy = "v1.36.0-eksbuild.7" }
  }

  expect_failures = [var.addons]
}

run "refuses_logs_without_an_end" {
  command = plan

  variables {
    logs = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 0 }
  }

  expect_failures = [var.logs]
}

run "refuses_instances_without_tags" {
  command = plan

  variables {
    tags = {}
  }

  expect_failures = [var.tags]
}
