output "repository_urls" {
  description = "Where to push and pull: image -> URL without a tag."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.repository_url }
}

output "repository_arns" {
  description = "image -> ARN of its repository."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.arn }
}
