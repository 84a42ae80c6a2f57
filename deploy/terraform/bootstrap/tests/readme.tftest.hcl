mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/ci/a" }
  }
}

variables {
  region         = "eu-central-1"
  replica_region = "eu-west-1"
  github         = { owner = "octo-org", owner_id = "123456", repository = "bourse", repository_id = "456789" }
}

run "the_example_applies" {
  assert {
    condition     = length(output.role_arns) == 4
    error_message = "The README's example must make the roles of dev and prod."
  }

  assert {
    condition = alltrue([for line in concat(
      ["region = \"${var.region}\"", "replica_region = \"${var.replica_region}\""], [for key, value in var.github : "${key} = \"${value}\""]
    ) : strcontains(replace(file("${path.module}/terraform.tfvars.example"), "/ +/", " "), line)])
    error_message = "terraform.tfvars.example must give the values that this test applies."
  }

  assert {
    condition     = strcontains(file("${path.module}/README.md"), file("${path.module}/terraform.tfvars.example"))
    error_message = "README.md must show terraform.tfvars.example as it is."
  }
}
