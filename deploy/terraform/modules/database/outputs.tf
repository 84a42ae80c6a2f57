output "address" {
  description = "Host name of the database; it stays the same when the standby takes over."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Port of the database."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "Name of the database within the instance."
  value       = aws_db_instance.this.db_name
}

output "identifier" {
  description = "Identifier of the instance: the dimension DBInstanceIdentifier of its metrics."
  value       = aws_db_instance.this.identifier
}

output "resource_id" {
  description = "Resource ID of the instance (db-…), which policies for rds-db:connect name."
  value       = aws_db_instance.this.resource_id
}

output "arn" {
  description = "ARN of the instance."
  value       = aws_db_instance.this.arn
}

output "master_secret_arn" {
  description = "ARN of the secret with the master's user name and password; RDS makes, rotates and deletes it."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "security_group_id" {
  description = "ID of the database's security group."
  value       = aws_security_group.this.id
}

output "subnet_group_name" {
  description = "Name of the subnet group; a restore test restores into it."
  value       = aws_db_subnet_group.this.name
}

output "key_arn" {
  description = "ARN of the key for storage, snapshots and the master secret."
  value       = aws_kms_key.this.arn
}

output "final_snapshot" {
  description = "Name of the snapshot that a destroy leaves, or null where it leaves none."
  value       = var.final_snapshot ? local.final_snapshot : null
}

output "log_group_names" {
  description = "Names of the log groups: log -> name."
  value       = { for log, group in aws_cloudwatch_log_group.this : log => group.name }
}
