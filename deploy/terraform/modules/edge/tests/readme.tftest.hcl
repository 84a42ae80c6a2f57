mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "the_example_applies" {
  command = plan

  module {
    source = "./example"
  }

  assert {
    condition     = output.url == "https://bourse.example.com"
    error_message = "The README's example must serve its name."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
