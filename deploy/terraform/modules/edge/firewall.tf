locals {
  # In the order of evaluation. Capacity: 25 + 700 + 200 + 200 + 2 of 1,500 units.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = { priority = 10, count = [] }
    AWSManagedRulesCommonRuleSet = {
      priority = 20
      # /api/v1/quotes takes up to 200 symbols, which is more than the 2,048 letters that this
      # rule lets pass; the API has its own bounds. Its brother for bodies (8 KB) stays: all
      # of the API is GET, and the one form, sign-in, sends a key and a path.
      count = ["SizeRestrictions_QUERYSTRING"]
    }
    AWSManagedRulesKnownBadInputsRuleSet = { priority = 30, count = [] }
    AWSManagedRulesSQLiRuleSet           = { priority = 40, count = [] }
  }
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "The firewall before the load balancer of ${var.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "rate-by-address"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit              = var.rate_limit
        aggregate_key_type = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
      metric_name                = "rate-by-address"
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.count

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
        metric_name                = rule.key
      }
    }
  }

  # CloudWatch knows a web ACL by this name, and our alarm by the ACL's.
  visibility_config {
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
    metric_name                = var.name
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

resource "aws_cloudwatch_log_group" "firewall" {
  name              = "aws-waf-logs-${var.name}" # the firewall takes no other prefix
  kms_key_id        = var.logs.key_arn
  retention_in_days = var.logs.retention_days
}

data "aws_iam_policy_document" "firewall_logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.firewall.arn}:*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.current.partition}:logs:*:${data.aws_caller_identity.current.account_id}:*"]
    }
  }
}

# Without one, AWS makes a policy of its own that destroy does not know.
resource "aws_cloudwatch_log_resource_policy" "firewall" {
  policy_name     = "${var.name}-waf"
  policy_document = data.aws_iam_policy_document.firewall_logs.json
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  # Where keys of the API and of sessions are.
  dynamic "redacted_fields" {
    for_each = ["authorization", "cookie"]

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.firewall]
}
