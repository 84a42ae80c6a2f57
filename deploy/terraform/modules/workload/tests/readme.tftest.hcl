mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }
}

run "the_example_applies" {
  module {
    source = "./example"
  }

  assert {
    condition     = keys(output.role_arns) == ["api", "ingest", "migrate"]
    error_message = "The README's example must give three roles."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
