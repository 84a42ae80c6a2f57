output "vault_arn" {
  description = "ARN of the vault."
  value       = aws_backup_vault.this.arn
}

output "vault_name" {
  description = "Name of the vault: the dimension BackupVaultName of its metrics."
  value       = aws_backup_vault.this.name
}

output "copy_vault_arn" {
  description = "ARN of the vault in the second region, or null."
  value       = one(aws_backup_vault.copy[*].arn)
}

output "plan_id" {
  description = "ID of the backup plan."
  value       = aws_backup_plan.this.id
}

output "restore_role_arn" {
  description = "ARN of the role to name when a person restores."
  value       = aws_iam_role.restore.arn
}
