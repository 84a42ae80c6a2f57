mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/secrets" }
  }

  mock_resource "aws_security_group" {
    defaults = { arn = "arn:aws:ec2:eu-central-1:123456789012:security-group/a" }
  }

  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "Y2VydGlmaWNhdGU=" }] }
  }

  mock_resource "aws_eks_node_group" {
    defaults = { resources = [{ autoscaling_groups = [{ name = "eks-a" }], remote_access_security_group_id = "" }] }
  }
}

run "the_example_applies" {
  module {
    source = "./example"
  }

  assert {
    condition     = output.name == "bourse-prod"
    error_message = "The README's example must make its cluster."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
