# The load balancer belongs to Terraform and pods join its target group by the chart's
# TargetGroupBinding: alarms and the firewall can name it in the same plan, and destroy
# leaves nothing of a controller's behind.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  https = var.certificate_arn != null
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  ip_address_type            = var.ipv6 ? "dualstack" : "ipv4"
  subnets                    = var.network.public_subnet_ids
  security_groups            = [aws_security_group.this.id]
  enable_deletion_protection = var.deletion_protection

  # Headers that are not valid HTTP, and requests that two parsers read differently, are
  # how requests are smuggled past a firewall.
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"

  # Longer than the heartbeat of /stream (15 s), shorter than web keeps an idle connection
  # (2 min): if web closed first, a request could meet a closed connection and be a 502.
  idle_timeout = 60

  access_logs {
    bucket  = aws_s3_bucket.access_logs.bucket
    enabled = true
  }

  # AWS writes a test object when it creates the load balancer and fails where it may not.
  depends_on = [aws_s3_bucket_policy.access_logs]
}

resource "aws_lb_target_group" "web" {
  name        = "${var.name}-web"
  vpc_id      = var.network.vpc_id
  target_type = "ip" # pods have addresses of the VPC
  protocol    = "HTTP"
  port        = var.pods.port

  deregistration_delay = var.deregistration_delay

  # Streams stay open for hours, so to take turns would leave a new pod idle.
  load_balancing_algorithm_type = "least_outstanding_requests"
  # A pod that is ready needs no warming, and the autoscaler's new pods are to help at once.
  slow_start = 0

  health_check {
    path                = "/readyz"
    port                = "traffic-port"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "https" {
  count = local.https ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate_arn
  # TLS 1.3, and 1.2 with forward secrecy and authenticated ciphers only; key exchange that
  # a quantum computer does not break where the client knows it.
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = local.https ? "redirect" : "forward"
    target_group_arn = local.https ? null : aws_lb_target_group.web.arn

    dynamic "redirect" {
      for_each = local.https ? [1] : []

      content {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_route53_record" "this" {
  for_each = var.domain == null ? toset([]) : toset(var.ipv6 ? ["A", "AAAA"] : ["A"])

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = each.key

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
