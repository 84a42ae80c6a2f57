resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "${var.name}: subnets without a route to the internet"
  subnet_ids  = var.network.subnet_ids
}

# Without a rule for what goes out, nothing does: PostgreSQL calls nobody.
resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "PostgreSQL, from its clients only"
  vpc_id      = var.network.vpc_id

  tags = {
    Name = "${var.name}-database"
  }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = var.clients

  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
