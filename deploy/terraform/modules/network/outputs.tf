output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "The addresses of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Subnets of load balancers, in the order of zones."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Subnets of nodes, pods and functions, in the order of zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "database_subnet_ids" {
  description = "Subnets of the database, without a way to the internet, in the order of zones."
  value       = [for zone in var.zones : aws_subnet.database[zone].id]
}

output "nat_public_ips" {
  description = "The addresses that upstreams see, one per NAT gateway."
  value       = [for zone in sort(local.nat_zones) : aws_eip.nat[zone].public_ip]
}

output "endpoint_security_group_id" {
  description = "The security group of the interface endpoints; null without any."
  value       = one(aws_security_group.endpoints[*].id)
}

output "s3_prefix_list_id" {
  description = "The prefix list of S3's addresses, for rules of security groups."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}
