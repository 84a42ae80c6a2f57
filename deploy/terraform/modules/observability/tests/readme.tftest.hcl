mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "the_example_plans" {
  command = plan

  module {
    source = "./example"
  }

  assert {
    condition     = output.alarms["ingest-ecb-silent"] == "bourse-prod-ingest-ecb-silent"
    error_message = "The README's example must watch its sources."
  }

  assert {
    condition     = strcontains(file("${path.module}/../README.md"), file("${path.module}/main.tf"))
    error_message = "README.md must show example/main.tf as it is."
  }
}
