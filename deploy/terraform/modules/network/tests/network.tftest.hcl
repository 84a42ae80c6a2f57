mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:a" }
  }
}

variables {
  name  = "bourse-test"
  cidr  = "10.0.0.0/16"
  zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  nat   = "per_zone"
  logs  = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 30 }
}

run "has_three_subnets_of_each_kind" {
  command = plan

  assert {
    condition = alltrue([
      for kind in [aws_subnet.public, aws_subnet.private, aws_subnet.database] :
      toset([for subnet in kind : subnet.availability_zone]) == toset(var.zones)
    ])
    error_message = "Each kind of subnet must be in each zone."
  }

  assert {
    condition     = [for zone in var.zones : aws_subnet.private[zone].cidr_block] == ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"]
    error_message = "Pods take addresses of the VPC: the private subnets must have most of them."
  }

  assert {
    condition = (
      [for zone in var.zones : aws_subnet.public[zone].cidr_block] == ["10.0.192.0/20", "10.0.208.0/20", "10.0.224.0/20"] &&
      [for zone in var.zones : aws_subnet.database[zone].cidr_block] == ["10.0.240.0/24", "10.0.241.0/24", "10.0.242.0/24"]
    )
    error_message = "Public and database subnets must be cut from what the private ones leave."
  }

  assert {
    condition     = alltrue([for kind in [aws_subnet.public, aws_subnet.private, aws_subnet.database] : alltrue([for s in kind : !s.map_public_ip_on_launch])])
    error_message = "Nothing may get a public address because of where it starts."
  }
}

run "the_smallest_network_fits" {
  command = plan

  variables {
    cidr = "192.168.16.0/20"
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.database : tonumber(split("/", subnet.cidr_block)[1]) <= 28])
    error_message = "AWS takes no subnet smaller than /28."
  }
}

run "tags_subnets_for_the_load_balancer_controller" {
  command = plan

  assert {
    condition = (
      alltrue([for s in aws_subnet.public : s.tags["kubernetes.io/role/elb"] == "1"]) &&
      alltrue([for s in aws_subnet.private : s.tags["kubernetes.io/role/internal-elb"] == "1"]) &&
      alltrue([for s in aws_subnet.database : !anytrue([for key in keys(s.tags) : startswith(key, "kubernetes.io/")])])
    )
    error_message = "Public load balancers go into public subnets, internal ones into private subnets, none beside the database."
  }
}

run "a_lost_zone_takes_no_other_ones_way_out" {
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(output.nat_public_ips) == 3
    error_message = "With nat = per_zone each zone must have its gateway and address."
  }

  assert {
    condition = alltrue([
      for zone in var.zones :
      aws_route.private[zone].nat_gateway_id == aws_nat_gateway.this[zone].id &&
      aws_route.private[zone].route_table_id == aws_route_table.private[zone].id &&
      aws_route_table_association.private[zone].route_table_id == aws_route_table.private[zone].id &&
      aws_route_table_association.private[zone].subnet_id == aws_subnet.private[zone].id &&
      aws_nat_gateway.this[zone].subnet_id == aws_subnet.public[zone].id
    ])
    error_message = "Each private subnet must leave by the gateway of its own zone."
  }
}

run "one_nat_serves_all_zones" {
  variables {
    nat = "one"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_eip.nat) == 1
    error_message = "With nat = one there must be one gateway to pay for."
  }

  assert {
    condition     = alltrue([for route in aws_route.private : route.nat_gateway_id == aws_nat_gateway.this["eu-central-1a"].id])
    error_message = "All private subnets must leave by the one gateway."
  }
}

run "the_database_has_no_way_to_the_internet" {
  assert {
    condition = (
      length(aws_route_table_association.database) == 3 &&
      alltrue([for a in aws_route_table_association.database : a.route_table_id == aws_route_table.database.id])
    )
    error_message = "The database subnets must have their own table, not the main one."
  }

  # Routes are resources of their own here, and an endpoint of S3 adds one where it is named.
  assert {
    condition = !contains(
      concat([aws_route.public.route_table_id], [for r in aws_route.private : r.route_table_id], tolist(aws_vpc_endpoint.s3.route_table_ids)),
      aws_route_table.database.id
    )
    error_message = "No route may lead out of the database subnets."
  }

  assert {
    condition     = aws_route.public.gateway_id == aws_internet_gateway.this.id
    error_message = "Public subnets must reach the internet by the gateway."
  }
}

run "s3_is_reached_without_nat" {
  assert {
    condition = (
      aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3" &&
      toset(aws_vpc_endpoint.s3.route_table_ids) == toset([for table in aws_route_table.private : table.id])
    )
    error_message = "Every private subnet must have the route to S3's gateway endpoint."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && output.endpoint_security_group_id == null
    error_message = "Interface endpoints cost by the hour: none where none is asked for."
  }
}

run "interface_endpoints_answer_the_vpc_only" {
  variables {
    interface_endpoints = ["ecr.dkr", "logs"]
  }

  assert {
    condition = alltrue([
      for name, endpoint in aws_vpc_endpoint.interface :
      endpoint.vpc_endpoint_type == "Interface" && endpoint.service_name == "com.amazonaws.eu-central-1.${name}" &&
      endpoint.private_dns_enabled && toset(endpoint.subnet_ids) == toset(output.private_subnet_ids) &&
      toset(endpoint.security_group_ids) == toset([output.endpoint_security_group_id])
    ]) && length(aws_vpc_endpoint.interface) == 2
    error_message = "Each endpoint must stand in all private subnets under the service's usual name."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.0.0.0/16" &&
      aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443 && aws_vpc_security_group_ingress_rule.endpoints[0].to_port == 443
    )
    error_message = "Only HTTPS from the VPC may reach the endpoints."
  }
}

run "flow_logs_are_encrypted_and_end" {
  assert {
    condition = (
      aws_flow_log.this.vpc_id == aws_vpc.this.id && aws_flow_log.this.traffic_type == "ALL" &&
      aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flow.arn && aws_flow_log.this.iam_role_arn == aws_iam_role.flow_logs.arn
    )
    error_message = "Accepted and rejected traffic of the VPC must be logged into our group."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.kms_key_id == var.logs.key_arn && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "The group must have the key and the retention that were given."
  }

  assert {
    condition = !anytrue(flatten([
      for s in data.aws_iam_policy_document.flow_logs.statement : [for a in s.actions : a == "logs:CreateLogGroup" || strcontains(a, "*")]
    ]))
    error_message = "The role must not be able to bring a destroyed group back."
  }

  assert {
    condition = toset([for c in data.aws_iam_policy_document.flow_logs_trust.statement[0].condition : c.variable]) == toset(
    ["aws:SourceAccount", "aws:SourceArn"])
    error_message = "Only flow logs of this account may use the role."
  }
}

run "the_default_security_group_is_closed" {
  command = plan

  assert {
    condition     = try(length(aws_default_security_group.this.ingress) + length(aws_default_security_group.this.egress), 0) == 0
    error_message = "The default security group must let nothing in or out."
  }
}

run "refuses_two_zones" {
  command = plan

  variables {
    zones = ["eu-central-1a", "eu-central-1b"]
  }

  expect_failures = [var.zones]
}

run "refuses_the_same_zone_twice" {
  command = plan

  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1a"]
  }

  expect_failures = [var.zones]
}

run "refuses_a_fourth_zone" {
  command = plan

  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c", "eu-central-1a"]
  }

  expect_failures = [var.zones]
}

run "refuses_zones_of_two_regions" {
  command = plan

  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-west-1a"]
  }

  expect_failures = [var.zones]
}

run "refuses_a_small_block" {
  command = plan

  variables {
    cidr = "10.0.0.0/21"
  }

  expect_failures = [var.cidr]
}

run "refuses_a_block_larger_than_a_vpc" {
  command = plan

  variables {
    cidr = "10.0.0.0/15"
  }

  expect_failures = [var.cidr]
}

run "refuses_addresses_of_the_internet" {
  command = plan

  variables {
    cidr = "11.0.0.0/16"
  }

  expect_failures = [var.cidr]
}

run "refuses_a_block_that_begins_elsewhere" {
  command = plan

  variables {
    cidr = "10.0.1.0/16"
  }

  expect_failures = [var.cidr]
}

run "refuses_what_is_no_block" {
  command = plan

  variables {
    cidr = "10.0.0.0"
  }

  expect_failures = [var.cidr]
}

run "refuses_to_overlap_a_smaller_block" {
  command = plan

  variables {
    apart_from = ["10.1.0.0/16", "10.0.128.0/24"]
  }

  expect_failures = [var.apart_from]
}

run "refuses_to_overlap_a_larger_block" {
  command = plan

  variables {
    apart_from = ["10.0.0.0/8"]
  }

  expect_failures = [var.apart_from]
}

run "neighbours_do_not_overlap" {
  command = plan

  variables {
    apart_from = ["10.1.0.0/16", "172.16.0.0/12"]
  }

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "Blocks beside each other must be taken."
  }
}

run "refuses_an_unknown_nat" {
  command = plan

  variables {
    nat = "none"
  }

  expect_failures = [var.nat]
}

run "refuses_logs_without_an_end" {
  command = plan

  variables {
    logs = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 0 }
  }

  expect_failures = [var.logs]
}

run "refuses_s3_as_an_interface" {
  command = plan

  variables {
    interface_endpoints = ["s3"]
  }

  expect_failures = [var.interface_endpoints]
}

run "refuses_a_name_that_AWS_would_refuse" {
  command = plan

  variables {
    name = "Bourse_Prod"
  }

  expect_failures = [var.name]
}
