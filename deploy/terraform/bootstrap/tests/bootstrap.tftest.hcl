mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::state" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/state" }
  }

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
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

run "keeps_the_states" {
  assert {
    condition = (
      one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled" && !aws_s3_bucket.state.force_destroy &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.state.arn &&
      aws_kms_key.state.enable_key_rotation
    )
    error_message = "States must have versions and the key, and a destroy must stop at them."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.state.block_public_acls && aws_s3_bucket_public_access_block.state.block_public_policy &&
      aws_s3_bucket_public_access_block.state.ignore_public_acls && aws_s3_bucket_public_access_block.state.restrict_public_buckets &&
      one(aws_s3_bucket_ownership_controls.state.rule).object_ownership == "BucketOwnerEnforced"
    )
    error_message = "Nothing may make the states public."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.state_bucket.statement :
      s.effect == "Deny" && s.actions == toset(["s3:*"]) && s.resources == toset(["arn:aws:s3:::state", "arn:aws:s3:::state/*"]) &&
    one(s.condition).variable == "aws:SecureTransport" && tolist(one(s.condition).values) == tolist(["false"])]) && length(data.aws_iam_policy_document.state_bucket.statement) == 1
    error_message = "Requests without TLS must be refused."
  }

  assert {
    condition     = strcontains(output.backend, "use_lockfile = true") && strcontains(output.backend, "encrypt      = true") && !strcontains(output.backend, "dynamodb")
    error_message = "The state must be locked by S3 itself."
  }
}

run "trusts_one_environment_of_one_repository" {
  assert {
    condition     = toset(keys(output.role_arns)) == toset(["dev-plan", "dev-apply", "prod-plan", "prod-apply"])
    error_message = "Each environment must have a role that plans and one that applies."
  }

  assert {
    condition = alltrue([for name, environment in { dev-plan = "dev-plan", dev-apply = "dev", prod-plan = "prod-plan", prod-apply = "prod" } :
      toset(flatten([for c in one(data.aws_iam_policy_document.trust[name].statement).condition : c.values if c.variable == "token.actions.githubusercontent.com:sub"])) == toset([
        "repo:octo-org/bourse:environment:${environment}",
        "repo:octo-org@123456/bourse@456789:environment:${environment}",
    ])])
    error_message = "Each role must trust the old and the new subject of its GitHub environment and no other."
  }

  assert {
    condition = alltrue([for trust in data.aws_iam_policy_document.trust :
      contains([for c in one(trust.statement).condition : "${c.test} ${c.variable} ${join(",", c.values)}"], "StringEquals token.actions.githubusercontent.com:aud sts.amazonaws.com") &&
      alltrue([for c in one(trust.statement).condition : c.test == "StringEquals" && !strcontains(join("", c.values), "*")]) &&
      one(trust.statement).actions == toset(["sts:AssumeRoleWithWebIdentity"]) &&
    one(one(trust.statement).principals).identifiers == toset([aws_iam_openid_connect_provider.github.arn])])
    error_message = "Tokens must be meant for AWS, come from GitHub, and be compared letter by letter."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.max_session_duration == 3600 && role.path == "/ci/"])
    error_message = "A session must be short, and the roles out of reach of the patterns for an environment's roles."
  }
}

run "plans_without_writing" {
  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.read.statement :
    alltrue([for a in s.actions : can(regex("^[a-z0-9-]+:(Describe|Get|List|View)[A-Za-z]*\\*?$", a))])])
    error_message = "A plan may only read."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.read.statement :
      length(setintersection(s.actions, ["s3:Get*", "s3:GetObject", "secretsmanager:Get*", "secretsmanager:GetSecretValue", "logs:Get*", "logs:GetLogEvents", "kms:Decrypt", "ssm:Get*", "lambda:Get*"])) == 0
    ])
    error_message = "A plan must see settings and no data."
  }

  assert {
    condition = alltrue([for name, state in data.aws_iam_policy_document.state : alltrue([for s in state.statement :
    contains(s.actions, "s3:PutObject") == endswith(name, "-apply") if s.sid == "State"])])
    error_message = "Only an apply may write the state."
  }

  assert {
    condition = alltrue([for name, state in data.aws_iam_policy_document.state : alltrue([for s in state.statement :
    alltrue([for r in s.resources : startswith(r, "arn:aws:s3:::state/${split("-", name)[0]}/terraform.tfstate")]) if contains(["State", "Lock"], s.sid)])])
    error_message = "An environment must reach its own state and no other."
  }

  assert {
    condition     = length(setintersection(keys(aws_iam_role_policy_attachment.manage), [for name, _ in aws_iam_role.this : name if endswith(name, "-plan")])) == 0 && alltrue([for env, a in aws_iam_role_policy_attachment.manage : a.role == aws_iam_role.this["${env}-apply"].name])
    error_message = "The rights to change things must go to the apply roles only."
  }
}

run "applies_within_its_environment" {
  assert {
    condition = alltrue(flatten([for document in concat(values(data.aws_iam_policy_document.manage), values(data.aws_iam_policy_document.identities), [data.aws_iam_policy_document.keys]) :
    [for s in document.statement : [for a in s.actions : !endswith(a, ":*") || !contains(s.resources, "*")]]]))
    error_message = "All of a service's actions may be given on named things only."
  }

  assert {
    condition = alltrue(flatten([for env, document in data.aws_iam_policy_document.manage : [for s in document.statement :
    [for r in s.resources : strcontains(r, "bourse-${env}") || endswith(r, "regional/managedruleset/*")] if s.sid == "Named"]]))
    error_message = "Whatever has a name must have the environment's."
  }

  assert {
    condition = alltrue(flatten([for document in concat(values(data.aws_iam_policy_document.manage), [data.aws_iam_policy_document.keys]) : [for s in document.statement :
      anytrue([for c in s.condition : contains(["aws:RequestedRegion", "kms:ViaService", "kms:GrantIsForAWSResource"], c.variable)])
    if contains(s.resources, "*") && coalesce(s.sid, "-") != "Global"]]))
    error_message = "What has IDs must at least be in our regions, or be asked for by a service."
  }
}

run "cannot_become_more" {
  assert {
    condition = alltrue(flatten([for env, document in data.aws_iam_policy_document.identities : [for s in document.statement :
    s.resources == toset([s.sid == "ServicesOwnRoles" ? "arn:aws:iam::123456789012:role/aws-service-role/*" : "arn:aws:iam::123456789012:role/bourse-${env}-*"])]]))
    error_message = "An apply must touch the roles of its environment only, and so not its own, which has a path."
  }

  assert {
    condition = alltrue(flatten([for document in data.aws_iam_policy_document.identities : [
      [for s in document.statement : [for c in s.condition : c.test == "StringEquals" && c.variable == "iam:PassedToService" && alltrue([for v in c.values : endswith(v, ".amazonaws.com")])] if contains(s.actions, "iam:PassRole")],
      [for s in document.statement : length(s.condition) == 1 if contains(s.actions, "iam:PassRole") || contains(s.actions, "iam:AttachRolePolicy") || contains(s.actions, "iam:CreateServiceLinkedRole")],
    ]]))
    error_message = "Roles must be passed to listed services only, and only listed policies be attached."
  }

  assert {
    condition = alltrue(flatten([for document in data.aws_iam_policy_document.identities : [for s in document.statement : [for c in s.condition :
    [for v in c.values : !strcontains(v, "Administrator") && !strcontains(v, "PowerUser") && !strcontains(v, "IAMFull") && !strcontains(v, "*")] if c.variable == "iam:PolicyARN"]]]))
    error_message = "No policy that could be attached may be an administrator's."
  }

  assert {
    condition     = toset([for a in aws_iam_role_policy_attachment.guard : a.role]) == toset([for r in aws_iam_role.this : r.name]) && alltrue([for s in data.aws_iam_policy_document.guard.statement : s.effect == "Deny"])
    error_message = "Every role must have the guard, and the guard must only refuse."
  }

  assert {
    condition = alltrue([for action in [
      "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "sts:AssumeRole", "organizations:*", "cloudtrail:Stop*",
    ] : contains(flatten([for s in data.aws_iam_policy_document.guard.statement : tolist(s.actions) if contains(coalesce(s.resources, []), "*")]), action)])
    error_message = "No workflow may leave a boundary, take another role, leave the organization or stop the trail."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.guard.statement :
      length(setintersection(s.actions, ["iam:Create*", "iam:Attach*", "iam:Put*", "iam:Update*", "iam:PassRole"])) == 5 &&
      alltrue([for r in s.not_resources : startswith(r, "arn:aws:iam::123456789012:role/bourse-") || endswith(r, ":role/aws-service-role/*")])
    if s.sid == "KeepIdentities"]) && contains(data.aws_iam_policy_document.guard.statement[*].sid, "KeepIdentities")
    error_message = "Identities other than the environments' roles must be out of reach: the provider of tokens, users, the roles of the workflows."
  }
}

run "refuses_a_name_with_a_wildcard" {
  command         = plan
  expect_failures = [var.github]
  variables {
    github = { owner = "octo-org", owner_id = "123456", repository = "*", repository_id = "456789" }
  }
}

run "refuses_an_id_that_is_a_wildcard" {
  command         = plan
  expect_failures = [var.github]
  variables {
    github = { owner = "octo-org", owner_id = "*", repository = "bourse", repository_id = "456789" }
  }
}

run "refuses_a_copy_beside_the_original" {
  command         = plan
  expect_failures = [var.replica_region]
  variables {
    replica_region = "eu-central-1"
  }
}

run "refuses_a_zone_for_a_region" {
  command         = plan
  expect_failures = [var.region]
  variables {
    region = "eu-central-1a"
  }
}

run "refuses_an_environment_that_is_a_wildcard" {
  command         = plan
  expect_failures = [var.environments]
  variables {
    environments = ["*"]
  }
}

run "refuses_environments_that_match_each_other" {
  command         = plan
  expect_failures = [var.environments]
  variables {
    environments = ["dev", "dev2"]
  }
}

run "refuses_a_name_too_long_for_its_environments" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "a-name-of-more-than-16"
  }
}
