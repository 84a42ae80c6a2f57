output "role_arns" {
  description = "The roles of the pods: api, ingest, migrate -> ARN."
  value       = { for component, role in aws_iam_role.this : component => role.arn }
}
