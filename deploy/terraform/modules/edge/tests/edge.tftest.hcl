mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name = "bourse-test"
  network = {
    vpc_id            = "vpc-1"
    public_subnet_ids = ["subnet-1", "subnet-2", "subnet-3"]
  }
  pods            = { security_group_id = "sg-pods" }
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
  logs            = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 30 }
}

# The firewall's schema costs seconds a run, so what holds by default is one.
run "holds_by_default" {
  # speaks tls and redirects
  assert {
    condition = (
      aws_lb_listener.https[0].port == 443 && aws_lb_listener.https[0].protocol == "HTTPS" &&
      aws_lb_listener.https[0].certificate_arn == var.certificate_arn &&
      startswith(aws_lb_listener.https[0].ssl_policy, "ELBSecurityPolicy-TLS13-1-2-Res-")
    )
    error_message = "The dashboard must be served with the certificate, by TLS 1.2 or later with authenticated ciphers only."
  }

  assert {
    condition = (
      aws_lb_listener.http.port == 80 && aws_lb_listener.http.default_action[0].type == "redirect" &&
      aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" &&
      aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301"
    )
    error_message = "Port 80 must redirect to HTTPS and serve nothing: keys would go in the clear."
  }

  # is hardened
  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.desync_mitigation_mode == "defensive"
    error_message = "Requests that parsers read differently must not reach web."
  }

  assert {
    condition     = aws_lb.this.enable_deletion_protection
    error_message = "Deletion protection must be on where nobody asked for less."
  }

  assert {
    condition     = aws_lb.this.idle_timeout > 15 && aws_lb.this.idle_timeout < 120
    error_message = "The idle timeout must be between the heartbeat of /stream and the time web keeps idle connections, or there are 502s."
  }

  # serves pods that are ready
  assert {
    condition = (
      aws_lb_target_group.web.target_type == "ip" && aws_lb_target_group.web.port == 8080 &&
      aws_lb_target_group.web.health_check[0].path == "/readyz" && aws_lb_target_group.web.health_check[0].matcher == "200"
    )
    error_message = "Targets are pods' addresses on 8080 and count as healthy when /readyz says so."
  }

  assert {
    condition     = tonumber(aws_lb_target_group.web.deregistration_delay) == 15 && output.deregistration_delay == 15
    error_message = "The delay must be the chart's termination.deregistrationDelaySeconds, 15."
  }

  assert {
    condition     = aws_lb_target_group.web.slow_start == 0
    error_message = "A slow start holds traffic back from the pods that the autoscaler adds under load, and excludes least_outstanding_requests."
  }

  # is open on 443 and 80 only
  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.world : r.from_port]) == toset([443, 80])
    error_message = "The world reaches 443 and 80 and nothing else."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.world : r.from_port == r.to_port && r.ip_protocol == "tcp"])
    error_message = "A range of ports is open."
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.pods.referenced_security_group_id == "sg-pods" &&
      aws_vpc_security_group_egress_rule.pods.from_port == 8080 && aws_vpc_security_group_egress_rule.pods.to_port == 8080 &&
      aws_vpc_security_group_egress_rule.pods.cidr_ipv4 == null
    )
    error_message = "The load balancer must reach the pods on 8080 and nothing else."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.pods.security_group_id == "sg-pods" &&
      aws_vpc_security_group_ingress_rule.pods.referenced_security_group_id == aws_security_group.this.id &&
      aws_vpc_security_group_ingress_rule.pods.from_port == 8080 && aws_vpc_security_group_ingress_rule.pods.to_port == 8080
    )
    error_message = "The pods must let in the load balancer on 8080, or every target is unhealthy."
  }

  # keeps access logs to itself
  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == aws_s3_bucket.access_logs.bucket
    error_message = "Access logs must be on and go to their bucket."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.access_logs.block_public_acls && aws_s3_bucket_public_access_block.access_logs.block_public_policy &&
      aws_s3_bucket_public_access_block.access_logs.ignore_public_acls && aws_s3_bucket_public_access_block.access_logs.restrict_public_buckets
    )
    error_message = "The bucket must be closed to the public in all four ways."
  }

  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.access_logs.statement :
      s.effect == "Deny" && contains(s.actions, "s3:*") && anytrue([for c in s.condition : c.variable == "aws:SecureTransport" && contains(c.values, "false")])
    ])
    error_message = "The bucket must refuse requests without TLS."
  }

  assert {
    condition = anytrue([for s in data.aws_iam_policy_document.access_logs.statement :
      s.effect != "Deny" && toset(s.actions) == toset(["s3:PutObject"]) &&
      alltrue([for p in s.principals : p.type == "Service" && toset(p.identifiers) == toset(["logdelivery.elasticloadbalancing.amazonaws.com"])]) &&
      alltrue([for r in s.resources : endswith(r, "/AWSLogs/123456789012/*")])
    ])
    error_message = "Elastic Load Balancing must be let in by its service principal (in all regions) and under this account only."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.access_logs.rule[0].expiration[0].days == 90 && !aws_s3_bucket.access_logs.force_destroy
    error_message = "Access logs must end after their days, and not be lost with the bucket where nobody asked for it."
  }

  assert {
    condition = alltrue([for r in aws_s3_bucket_server_side_encryption_configuration.access_logs.rule :
      r.apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    ])
    error_message = "Elastic Load Balancing cannot write to a bucket that encrypts with KMS."
  }

  # has a firewall
  assert {
    condition = toset(flatten([for r in aws_wafv2_web_acl.this.rule : [for s in r.statement : [for m in s.managed_rule_group_statement : m.name]]])) == toset([
      "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet",
    ])
    error_message = "A group of managed rules is missing."
  }

  assert {
    condition     = alltrue([for r in aws_wafv2_web_acl.this.rule : alltrue([for o in r.override_action : length(o.none) == 1])])
    error_message = "A group of managed rules only counts and blocks nothing."
  }

  assert {
    condition = toset(flatten([for r in aws_wafv2_web_acl.this.rule : [for s in r.statement :
      [for m in s.managed_rule_group_statement : [for o in m.rule_action_override : o.name]]
    ]])) == toset(["SizeRestrictions_QUERYSTRING"])
    error_message = "Only the length of a query may be let through: /api/v1/quotes takes 200 symbols."
  }

  assert {
    condition = anytrue([for r in aws_wafv2_web_acl.this.rule : length(r.action) == 1 && anytrue([for s in r.statement :
      anytrue([for b in s.rate_based_statement : b.limit == 10000 && b.aggregate_key_type == "IP"])
    ])])
    error_message = "A rule must block addresses that send more than the limit."
  }

  assert {
    condition     = length(distinct([for r in aws_wafv2_web_acl.this.rule : r.priority])) == length(aws_wafv2_web_acl.this.rule)
    error_message = "Two rules have the same priority, which AWS refuses."
  }

  assert {
    condition = (
      aws_wafv2_web_acl_association.this.resource_arn == aws_lb.this.arn && aws_wafv2_web_acl_association.this.web_acl_arn == aws_wafv2_web_acl.this.arn
    )
    error_message = "The firewall must stand before the load balancer."
  }

  # firewall logs hold no secrets
  assert {
    condition = (
      aws_cloudwatch_log_group.firewall.name == "aws-waf-logs-bourse-test" && aws_cloudwatch_log_group.firewall.kms_key_id == var.logs.key_arn &&
      aws_cloudwatch_log_group.firewall.retention_in_days == 30
    )
    error_message = "The log group needs the prefix that WAF demands, the key and the retention."
  }

  assert {
    condition = toset([for f in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : f.single_header[0].name]) == toset([
      "authorization", "cookie",
    ])
    error_message = "API keys and session cookies must not be in the logs."
  }
}

run "serves_ipv6" {
  command = plan
  variables {
    domain = { zone_id = "Z1", name = "bourse.example.com" }
    ipv6   = true
  }

  assert {
    condition     = toset(keys(aws_route53_record.this)) == toset(["A", "AAAA"]) && aws_lb.this.ip_address_type == "dualstack"
    error_message = "With IPv6 the name needs both records and the load balancer both stacks."
  }

  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.world : "${r.from_port} ${coalesce(r.cidr_ipv4, r.cidr_ipv6)}"]) == toset(["443 0.0.0.0/0", "80 0.0.0.0/0", "443 ::/0", "80 ::/0"])
    error_message = "With IPv6 the world must reach 443 and 80 by it."
  }
}

run "serves_plain_http_when_told" {
  command = plan
  variables {
    domain          = { zone_id = "Z1", name = "bourse.example.com" }
    certificate_arn = null
    plain_http      = true
  }

  assert {
    condition = (
      length(aws_lb_listener.https) == 0 && aws_lb_listener.http.default_action[0].type == "forward" &&
      [for r in aws_vpc_security_group_ingress_rule.world : r.from_port] == [80]
    )
    error_message = "Without a certificate port 80 must serve and 443 be closed."
  }

  assert {
    condition     = toset(keys(aws_route53_record.this)) == toset(["A"]) && output.url == "http://bourse.example.com"
    error_message = "An AAAA record would lead to nothing without IPv6."
  }
}

run "refuses_certificate_with_plain_http" {
  command = plan
  variables {
    plain_http = true
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_plain_http_unasked_and_the_rest_that_is_wrong" {
  command = plan
  variables {
    certificate_arn      = null
    name                 = "Bourse"
    network              = { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1"] }
    rate_limit           = 5
    deregistration_delay = 300
    logs                 = { key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1", retention_days = 0 }
    access_logs          = { days = 0 }
  }
  expect_failures = [var.name, var.certificate_arn, var.network, var.rate_limit, var.deregistration_delay, var.logs, var.access_logs]
}
