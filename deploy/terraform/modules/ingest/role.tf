data "aws_iam_policy_document" "function_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  name               = local.function_name
  description        = "What the function ${local.function_name} may do"
  assume_role_policy = data.aws_iam_policy_document.function_trust.json
}

data "aws_iam_policy_document" "function" {
  statement {
    sid = "Archive"
    # Under the hash of the bytes, only where none is: a run reads nothing back. Large payloads
    # go up in parts; those of an upload that failed are aborted.
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${var.archive.bucket_arn}/*"]
  }

  statement {
    sid       = "EncryptArchive"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"] # Decrypt is for payloads that go in parts
    resources = [var.archive.key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "Database"
    actions   = ["rds-db:connect"]
    resources = ["arn:${local.partition}:rds-db:${var.region}:${local.account}:dbuser:${var.database.resource_id}/${var.database.user}"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for s in aws_secretsmanager_secret.this : s.arn]
  }

  statement {
    sid       = "DecryptSecrets"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.secrets.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  statement {
    sid       = "Traces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"] # X-Ray knows no resources for these
  }

  statement {
    sid       = "KeepDeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }
}

resource "aws_iam_role_policy" "function" {
  name   = "ingest"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

# What AWSLambdaVPCAccessExecutionRole allows on `*`, on what it is needed for. Lambda makes
# and deletes the function's network interfaces with the rights of this role.
data "aws_iam_policy_document" "network" {
  statement {
    sid     = "CreateInterfaces"
    actions = ["ec2:CreateNetworkInterface"]
    resources = concat(
      [for id in var.network.subnet_ids : "${local.ec2}:subnet/${id}"],
      ["${local.ec2}:security-group/*", "${local.ec2}:network-interface/*"]
    )

    condition {
      test     = "ArnEquals"
      variable = "ec2:Vpc"
      values   = ["${local.ec2}:vpc/${var.network.vpc_id}"]
    }
  }

  statement {
    sid       = "ManageInterfaces"
    actions   = ["ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
    resources = ["${local.ec2}:network-interface/*"] # their ids are known to Lambda only
  }

  statement {
    sid       = "SeeInterfaces"
    actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    resources = ["*"] # EC2 knows no resources for Describe
  }

  # Lambda, not the program: a program that was taken over can touch no interface.
  statement {
    sid    = "NotTheProgram"
    effect = "Deny"
    actions = [
      "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
      "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    ]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = ["arn:${local.partition}:lambda:${var.region}:${local.account}:function:${local.function_name}"]
    }
  }
}

locals {
  ec2 = "arn:${local.partition}:ec2:${var.region}:${local.account}"
}

resource "aws_iam_role_policy" "network" {
  name   = "network-interfaces"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.network.json
}
