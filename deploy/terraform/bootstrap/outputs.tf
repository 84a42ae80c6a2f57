output "state_bucket" {
  description = "Name of the bucket with the states."
  value       = aws_s3_bucket.state.bucket
}

output "state_key_arn" {
  description = "ARN of the key that encrypts the states."
  value       = aws_kms_key.state.arn
}

output "role_arns" {
  description = "Roles for the workflows: <environment>-plan and <environment>-apply -> ARN."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "backend" {
  description = "The file backend.tf that moves this state into the bucket."
  value       = <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.state.bucket}"
        key          = "bootstrap/terraform.tfstate"
        region       = "${var.region}"
        encrypt      = true
        kms_key_id   = "${aws_kms_key.state.arn}"
        use_lockfile = true
      }
    }
  EOT
}
