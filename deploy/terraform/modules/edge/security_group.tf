# The one security group of the system that the world reaches.
resource "aws_security_group" "this" {
  name        = "${var.name}-alb"
  description = "The public load balancer of ${var.name}"
  vpc_id      = var.network.vpc_id

  tags = { Name = "${var.name}-alb" }
}

locals {
  ports = local.https ? [443, 80] : [80] # 80 redirects to 443
  # port and address family, as 443-ipv4
  world = { for pair in setproduct(local.ports, var.ipv6 ? ["ipv4", "ipv6"] : ["ipv4"]) : "${pair[0]}-${pair[1]}" => {
    port = pair[0]
    ipv4 = pair[1] == "ipv4" ? "0.0.0.0/0" : null
    ipv6 = pair[1] == "ipv6" ? "::/0" : null
  } }
}

resource "aws_vpc_security_group_ingress_rule" "world" {
  for_each = local.world

  security_group_id = aws_security_group.this.id
  description       = "Anyone to port ${each.value.port}"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.ipv4
  cidr_ipv6         = each.value.ipv6
}

resource "aws_vpc_security_group_egress_rule" "pods" {
  security_group_id            = aws_security_group.this.id
  description                  = "Requests and health checks to web"
  ip_protocol                  = "tcp"
  from_port                    = var.pods.port
  to_port                      = var.pods.port
  referenced_security_group_id = var.pods.security_group_id
}

# The other end. It is here and not the load balancer controller's, so that it is in the
# plan: targetGroup.securityGroup of the chart stays empty.
resource "aws_vpc_security_group_ingress_rule" "pods" {
  security_group_id            = var.pods.security_group_id
  description                  = "Requests and health checks of the load balancer ${var.name}"
  ip_protocol                  = "tcp"
  from_port                    = var.pods.port
  to_port                      = var.pods.port
  referenced_security_group_id = aws_security_group.this.id
}
