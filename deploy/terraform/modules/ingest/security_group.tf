resource "aws_security_group" "this" {
  name        = local.function_name
  description = "The function ${local.function_name}"
  vpc_id      = var.network.vpc_id

  tags = { Name = local.function_name }

  # Lambda deletes its interfaces minutes after the function, with the rights of the role.
  # The group cannot go before they have, and the rights must not go before the group.
  depends_on = [aws_iam_role_policy.network]
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "The sources, and AWS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

# The other end is the database's, which opens itself for its clients.
resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.this.id
  description                  = "The database"
  ip_protocol                  = "tcp"
  from_port                    = var.database.port
  to_port                      = var.database.port
  referenced_security_group_id = var.database.security_group_id
}
