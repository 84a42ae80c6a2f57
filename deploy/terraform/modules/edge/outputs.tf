output "load_balancer_arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "load_balancer_arn_suffix" {
  description = "The load balancer as CloudWatch's dimension LoadBalancer names it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "ARN of web's target group, targetGroup.arn of the chart."
  value       = aws_lb_target_group.web.arn
}

output "target_group_arn_suffix" {
  description = "The target group as CloudWatch's dimension TargetGroup names it."
  value       = aws_lb_target_group.web.arn_suffix
}

output "deregistration_delay" {
  description = "Seconds, termination.deregistrationDelaySeconds of the chart."
  value       = var.deregistration_delay
}

output "security_group_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.this.id
}

output "dns_name" {
  description = "Name that AWS gave to the load balancer."
  value       = aws_lb.this.dns_name
}

output "url" {
  description = "Where the dashboard and the API answer."
  value       = "${local.https ? "https" : "http"}://${var.domain == null ? aws_lb.this.dns_name : var.domain.name}"
}

output "web_acl_arn" {
  description = "ARN of the firewall's web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "web_acl_name" {
  description = "The web ACL as CloudWatch's dimension WebACL names it."
  value       = aws_wafv2_web_acl.this.visibility_config[0].metric_name
}
