mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:a" }
  }
}

run "the_example_applies" {
  module {
    source = "./example"
  }

  assert {
    condition     = length(distinct(output.private_subnet_ids)) == 3
    error_message = "The README's example must give three private subnets."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
