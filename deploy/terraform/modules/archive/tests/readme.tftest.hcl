mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

mock_provider "aws" {
  alias = "replica"
}

run "the_example_applies" {
  module {
    source = "./example"
  }

  assert {
    condition     = startswith(output.url, "s3://bourse-prod-archive-")
    error_message = "The README's example must do what it shows."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
