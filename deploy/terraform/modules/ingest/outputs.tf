output "function_name" {
  description = "Name of the function, dimension FunctionName of its metrics and dimension function of ours."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "role_arn" {
  description = "ARN of the role that the function runs with."
  value       = aws_iam_role.function.arn
}

output "timeout" {
  description = "Seconds that a run may take."
  value       = aws_lambda_function.this.timeout
}

output "security_group_id" {
  description = "Security group of the function, for the database to let in."
  value       = aws_security_group.this.id
}

output "dead_letter_queue_name" {
  description = "Name of the queue of runs that failed for good."
  value       = aws_sqs_queue.dead_letters.name
}

output "dead_letter_queue_arn" {
  description = "ARN of that queue."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letter_queue_url" {
  description = "URL of that queue, for `bourse redrive`."
  value       = aws_sqs_queue.dead_letters.url
}

output "secret_arns" {
  description = "ARN of each secret by its name; their values are put by hand."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "secret_key_arn" {
  description = "ARN of the key that the secrets are encrypted with."
  value       = aws_kms_key.secrets.arn
}

output "schedule_group_name" {
  description = "Name of the group of the schedules, dimension ScheduleGroup of their metrics."
  value       = aws_scheduler_schedule_group.this.name
}

output "schedule_names" {
  description = "Name of the schedule of each source."
  value       = { for source, schedule in aws_scheduler_schedule.source : source => schedule.name }
}
