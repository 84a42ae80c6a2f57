# In production the load balancer, its target group and the rules that let it in are the edge
# module's, and the controller only puts pods into that group and takes them out. A Service of
# type LoadBalancer, as the chart has for trials, needs a controller that makes and deletes load
# balancers and security groups: those rights are given where service_load_balancers says so, and
# reach only what the controller itself has tagged with the name of this cluster.

locals {
  elb = "arn:${local.partition}:elasticloadbalancing:${local.region}:${local.account}"
  ec2 = "arn:${local.partition}:ec2:${local.region}:${local.account}"
  # The controller's tag of what it makes.
  controller_tag = "elbv2.k8s.aws/cluster"

  service_actions = {
    # What exists is changed and deleted where it has the tag.
    owned = {
      actions = [
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyListenerAttributes",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetIpAddressType",
        "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets",
        "elasticloadbalancing:AddTags",
      ]
      resources = ["${local.elb}:loadbalancer/net/*/*", "${local.elb}:listener/net/*/*/*", "${local.elb}:targetgroup/*/*"]
      condition = "aws:ResourceTag/${local.controller_tag}"
    }
    # What is new gets the tag.
    new = {
      actions   = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
      resources = ["${local.elb}:loadbalancer/net/*/*", "${local.elb}:targetgroup/*/*"]
      condition = "aws:RequestTag/${local.controller_tag}"
    }
    new_group = {
      actions   = ["ec2:CreateSecurityGroup"]
      resources = ["${local.ec2}:security-group/*"]
      condition = "aws:RequestTag/${local.controller_tag}"
    }
    owned_groups = {
      actions = [
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteTags",
        "ec2:RevokeSecurityGroupIngress",
      ]
      resources = ["${local.ec2}:security-group/*"]
      condition = "aws:ResourceTag/${local.controller_tag}"
    }
  }
}

data "aws_iam_policy_document" "load_balancer_controller" {
  statement {
    actions = [
      "ec2:DescribeAvailabilityZones",
      "ec2:DescribeInstances",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
    ]
    resources = ["*"] # AWS lets nobody read one only
  }

  # The edge module's target group.
  statement {
    actions   = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]
    resources = ["${local.elb}:targetgroup/${var.name}-*/*"]
  }

  dynamic "statement" {
    for_each = var.service_load_balancers ? [1] : []

    content {
      actions = [
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeRouteTables",
        "ec2:DescribeTags",
        "ec2:GetSecurityGroupsForVpc",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListenerCertificates",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeSSLPolicies",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.service_load_balancers ? local.service_actions : {}

    content {
      actions   = statement.value.actions
      resources = statement.value.resources

      condition {
        test     = "StringEquals"
        variable = statement.value.condition
        values   = [var.name]
      }
    }
  }

  # To create a thing with tags is to tag it.
  dynamic "statement" {
    for_each = var.service_load_balancers ? {
      "elasticloadbalancing:AddTags" = {
        resources = ["${local.elb}:loadbalancer/net/*/*", "${local.elb}:listener/net/*/*/*", "${local.elb}:targetgroup/*/*"]
        by        = "elasticloadbalancing:CreateAction"
        creations = ["CreateListener", "CreateLoadBalancer", "CreateTargetGroup"]
      }
      "ec2:CreateTags" = {
        resources = ["${local.ec2}:security-group/*"]
        by        = "ec2:CreateAction"
        creations = ["CreateSecurityGroup"]
      }
    } : {}

    content {
      actions   = [statement.key]
      resources = statement.value.resources

      condition {
        test     = "StringEquals"
        variable = statement.value.by
        values   = statement.value.creations
      }

      condition {
        test     = "StringEquals"
        variable = "aws:RequestTag/${local.controller_tag}"
        values   = [var.name]
      }
    }
  }

  # A group is made in a VPC, which has no tag of ours; the pods' group gets the load
  # balancer's rule.
  dynamic "statement" {
    for_each = var.service_load_balancers ? {
      "ec2:CreateSecurityGroup" = ["${local.ec2}:vpc/${var.network.vpc_id}"]
    } : {}

    content {
      actions   = [statement.key]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = var.service_load_balancers ? [1] : []

    content {
      actions   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
      resources = [aws_security_group.nodes.arn]
    }
  }

  # The account's first load balancer brings the service's own role.
  dynamic "statement" {
    for_each = var.service_load_balancers ? [1] : []

    content {
      actions = ["iam:CreateServiceLinkedRole"]
      resources = [
        "arn:${local.partition}:iam::${local.account}:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"
      ]

      condition {
        test     = "StringEquals"
        variable = "iam:AWSServiceName"
        values   = ["elasticloadbalancing.amazonaws.com"]
      }
    }
  }
}
