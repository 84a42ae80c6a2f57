output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "key_arn" {
  description = "ARN of the key that encrypts the objects."
  value       = aws_kms_key.this.arn
}

output "url" {
  description = "Value of BOURSE_ARCHIVE_URL: the bucket, its region and its key. Without the key's parameters every write is refused."
  value       = "s3://${aws_s3_bucket.this.bucket}?region=${aws_s3_bucket.this.region}&ssetype=aws:kms&kmskeyid=${urlencode(aws_kms_key.this.arn)}"
}

output "replica_bucket" {
  description = "Name of the bucket in the second region, or null."
  value       = one(aws_s3_bucket.replica[*].bucket)
}

output "replica_bucket_arn" {
  description = "ARN of the bucket in the second region, or null."
  value       = one(aws_s3_bucket.replica[*].arn)
}
