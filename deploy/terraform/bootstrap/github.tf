locals {
  issuer = "token.actions.githubusercontent.com"

  # Two roles for each environment: a plan runs on any proposal, an apply after approval.
  roles = merge([
    for environment in var.environments : {
      "${environment}-plan"  = { environment = environment, github_environment = "${environment}-plan" }
      "${environment}-apply" = { environment = environment, github_environment = environment }
    }
  ]...)
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]

  # AWS trusts GitHub by its certificate authority and does not look at this; providers
  # before 5.81 insist on one.
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

data "aws_iam_policy_document" "trust" {
  for_each = local.roles

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    # Repositories made since 2026-07-15 carry their IDs, older ones do not unless they
    # chose to. Both name one environment of one repository.
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values = [
        "repo:${var.github.owner}/${var.github.repository}:environment:${each.value.github_environment}",
        "repo:${var.github.owner}@${var.github.owner_id}/${var.github.repository}@${var.github.repository_id}:environment:${each.value.github_environment}",
      ]
    }
  }
}

# They have a path, which the roles of an environment lack: no pattern for those matches these.
resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-${each.key}"
  path                 = "/ci/"
  description          = "GitHub environment ${each.value.github_environment} of ${var.github.owner}/${var.github.repository}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600 # seconds, the least that IAM has
}
