mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a" }
  }
}

variables {
  name     = "bourse-test"
  cluster  = { name = "bourse-test", arn = "arn:aws:eks:eu-central-1:123456789012:cluster/bourse-test" }
  archive  = { bucket_arn = "arn:aws:s3:::archive", key_arn = "arn:aws:kms:eu-central-1:123456789012:key/archive" }
  database = { resource_id = "db-ABC", users = { api = "bourse_api", ingest = "bourse_ingest", migrate = "bourse_migrate" } }
}

run "each_account_has_its_own_role" {
  assert {
    condition = { for component, a in aws_eks_pod_identity_association.this : component => "${a.cluster_name}/${a.namespace}/${a.service_account}" } == {
      api     = "bourse-test/bourse/bourse-api"
      ingest  = "bourse-test/bourse/bourse-ingest"
      migrate = "bourse-test/bourse/bourse-migrate"
    }
    error_message = "The associations must name the accounts of the release bourse."
  }

  assert {
    condition = (
      alltrue([for component, a in aws_eks_pod_identity_association.this : a.role_arn == aws_iam_role.this[component].arn]) &&
      alltrue([for component, p in aws_iam_role_policy.this : p.role == aws_iam_role.this[component].id]) &&
      length(distinct([for role in aws_iam_role.this : role.name])) == 3
    )
    error_message = "Each account must have the role of its component, and each role its policy."
  }
}

run "only_the_pod_gets_its_role" {
  command = plan

  assert {
    condition = alltrue([
      for trust in data.aws_iam_policy_document.trust :
      trust.statement[0].actions == toset(["sts:AssumeRole", "sts:TagSession"]) &&
      one(trust.statement[0].principals).identifiers == toset(["pods.eks.amazonaws.com"]) && length(trust.statement) == 1
    ]) && length(data.aws_iam_policy_document.trust) == 3
    error_message = "Pod Identity tags its sessions: without sts:TagSession nobody gets in."
  }

  assert {
    condition = alltrue([
      for component, trust in data.aws_iam_policy_document.trust : { for c in trust.statement[0].condition : c.variable => one(c.values) } == {
        "aws:SourceAccount"                         = "123456789012"
        "aws:SourceArn"                             = "arn:aws:eks:eu-central-1:123456789012:cluster/bourse-test"
        "aws:RequestTag/kubernetes-namespace"       = "bourse"
        "aws:RequestTag/kubernetes-service-account" = "bourse-${component}"
      }
    ])
    error_message = "A role must be for its own pod of this cluster of this account."
  }
}

run "each_may_do_what_its_program_does" {
  command = plan

  assert {
    condition = { for s in data.aws_iam_policy_document.api.statement : join(" ", sort(s.actions)) => one(s.resources) } == {
      "s3:GetObject"   = "arn:aws:s3:::archive/*/objects/*"
      "kms:Decrypt"    = "arn:aws:kms:eu-central-1:123456789012:key/archive"
      "rds-db:connect" = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/bourse_api"
    }
    error_message = "api reads payloads and connects as its own user: it writes nothing to the archive."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.ingest.statement : join(" ", sort(s.actions)) => one(s.resources) } == {
      "s3:AbortMultipartUpload s3:PutObject" = "arn:aws:s3:::archive/*"
      "kms:Decrypt kms:GenerateDataKey"      = "arn:aws:kms:eu-central-1:123456789012:key/archive"
      "rds-db:connect"                       = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/bourse_ingest"
    }
    error_message = "ingest adds to the archive and connects as its own user: it deletes nothing."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.migrate.statement : join(" ", sort(s.actions)) => one(s.resources) } == {
      "rds-db:connect" = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/bourse_migrate"
    }
    error_message = "migrate only connects as its own user."
  }

  assert {
    condition = alltrue(flatten([
      for policy in [data.aws_iam_policy_document.api, data.aws_iam_policy_document.ingest] : [
        for s in policy.statement : one(s.condition).variable == "kms:ViaService" && one(s.condition).values == tolist(["s3.eu-central-1.amazonaws.com"])
        if contains(s.actions, "kms:Decrypt")
      ]
    ]))
    error_message = "The key must be used by S3 for them, not by themselves."
  }
}

run "ingest_reads_the_secrets_that_are_given" {
  command = plan

  variables {
    secrets = {
      arns    = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:bourse-test/alphavantage-AbCdEf"]
      key_arn = "arn:aws:kms:eu-central-1:123456789012:key/secrets"
    }
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.ingest.statement : s.resources
      if s.actions == toset(["secretsmanager:GetSecretValue"])
    ] == [var.secrets.arns]
    error_message = "ingest must read the secrets that are given, and no others."
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.ingest.statement : one(one(s.condition).values) if s.resources == toset([var.secrets.key_arn])
    ] == ["secretsmanager.eu-central-1.amazonaws.com"]
    error_message = "The secrets' key must be used by Secrets Manager only."
  }

  assert {
    condition = !anytrue(flatten([
      for policy in [data.aws_iam_policy_document.api, data.aws_iam_policy_document.migrate] :
      [for s in policy.statement : [for a in s.actions : startswith(a, "secretsmanager:")]]
    ]))
    error_message = "Nobody but ingest may read keys of upstreams."
  }
}

run "refuses_a_name_for_the_database" {
  command = plan

  variables {
    database = { resource_id = "bourse-test", users = { api = "a", ingest = "i", migrate = "m" } }
  }

  expect_failures = [var.database]
}

run "refuses_a_user_that_is_all_users" {
  command = plan

  variables {
    database = { resource_id = "db-ABC", users = { api = "*", ingest = "i", migrate = "m" } }
  }

  expect_failures = [var.database]
}

run "refuses_one_user_for_all" {
  command = plan

  variables {
    database = { resource_id = "db-ABC", users = { api = "bourse", ingest = "bourse", migrate = "bourse" } }
  }

  expect_failures = [var.database]
}

run "refuses_a_path_of_the_bucket" {
  command = plan

  variables {
    archive = { bucket_arn = "arn:aws:s3:::archive/*", key_arn = "arn:aws:kms:eu-central-1:123456789012:key/archive" }
  }

  expect_failures = [var.archive]
}

run "refuses_all_secrets" {
  command = plan

  variables {
    secrets = { arns = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:*"], key_arn = "arn:aws:kms:eu-central-1:123456789012:key/secrets" }
  }

  expect_failures = [var.secrets]
}

run "refuses_what_is_no_cluster" {
  command = plan

  variables {
    cluster = { name = "bourse-test", arn = "bourse-test" }
  }

  expect_failures = [var.cluster]
}
