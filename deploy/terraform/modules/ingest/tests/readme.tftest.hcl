mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "the_example_plans_without_a_zip" {
  command = plan

  module {
    source = "./example"
  }

  assert {
    condition     = output.schedules == { ecb = "bourse-prod-ecb", coinbase = "bourse-prod-coinbase" }
    error_message = "The README's example must have a schedule for each source."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
