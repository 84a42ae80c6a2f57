mock_provider "aws" {}

variables {
  name = "bourse-test"
}

run "has_a_repository_for_each_image" {
  assert {
    condition     = toset([for r in aws_ecr_repository.this : r.name]) == toset([for image in ["web", "api", "ingest", "migrate"] : "bourse-test/${image}"])
    error_message = "Each image of the chart must have its repository."
  }

  assert {
    condition     = toset(keys(output.repository_urls)) == toset(["web", "api", "ingest", "migrate"])
    error_message = "Whoever pushes must learn where."
  }
}

run "runs_what_was_tested" {
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE" && one(r.image_scanning_configuration).scan_on_push])
    error_message = "A tag must mean one image for ever, scanned when it was pushed."
  }

  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : !r.force_delete])
    error_message = "A destroy must stop at images, unless they are to be thrown away."
  }
}

run "forgets_old_images" {
  variables {
    keep_images = 20
  }

  assert {
    condition = alltrue([for policy in aws_ecr_lifecycle_policy.this : contains([for rule in jsondecode(policy.policy).rules : jsonencode(rule.selection)],
    jsonencode({ tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 20 }))])
    error_message = "As many tagged images must stay as asked for, whatever their tags."
  }

  assert {
    condition = alltrue([for policy in aws_ecr_lifecycle_policy.this : contains([for rule in jsondecode(policy.policy).rules : jsonencode(rule.selection)],
    jsonencode({ tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }))])
    error_message = "Images without a tag must go: nothing can run them."
  }

  assert {
    condition     = toset(keys(aws_ecr_lifecycle_policy.this)) == var.images
    error_message = "Each repository must have the policy."
  }
}

run "is_thrown_away_where_asked" {
  variables {
    force_delete = true
  }

  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.force_delete])
    error_message = "The images must go with a destroy."
  }
}

run "refuses_a_name_that_ecr_refuses" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "Bourse"
  }
}

run "refuses_no_images" {
  command         = plan
  expect_failures = [var.images]
  variables {
    images = []
  }
}

run "refuses_to_forget_what_runs" {
  command         = plan
  expect_failures = [var.keep_images]
  variables {
    keep_images = 1
  }
}
