# One VPC over three zones. Public subnets hold load balancers and NAT, private ones nodes,
# pods and functions, database ones the database, which has no way to the internet.

locals {
  region = regex("^(.+)[a-z]$", var.zones[0])[0]

  # Cut one after the other, so they cannot overlap: of a /16, three /18 for pods, each of
  # which takes an address of the VPC, three /20 and three /24.
  blocks  = cidrsubnets(var.cidr, 2, 2, 2, 4, 4, 4, 8, 8, 8)
  subnets = { for i, zone in var.zones : zone => { private = local.blocks[i], public = local.blocks[3 + i], database = local.blocks[6 + i] } }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private names of interface endpoints

  tags = { Name = var.name }
}

# Whoever names no group gets this one: it lets nothing in or out.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-closed" }
}

# The load balancer controller finds the subnets of a Service by these roles.
resource "aws_subnet" "public" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.public
  map_public_ip_on_launch = false # load balancers and NAT bring their own

  tags = {
    Name                     = "${var.name}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  }
}

resource "aws_subnet" "private" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.private
  map_public_ip_on_launch = false

  tags = {
    Name                              = "${var.name}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}

resource "aws_subnet" "database" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.database
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-database-${each.key}" }
}
