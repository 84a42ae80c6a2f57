package main

// breaks shows of every rule that it can fail. Those of one root are made in one copy, so
// each finding is named exactly.
var breaks = map[string][]breakage{
	"no star on star": {
		{ingest, "modules/ingest/role.tf", `["rds-db:connect"]`, `["rds-db:*"]`, "aws_iam_role_policy.function allows rds-db:*"},
		{ingest, "modules/ingest/role.tf", `resources = [for s in aws_secretsmanager_secret.this : s.arn]`, `resources = ["*"]`, "allows secretsmanager:GetSecretValue on *"},
		{dev, "modules/observability/topic.tf", `["kms:Decrypt", "kms:GenerateDataKey*"]`, `["kms:*"]`, "aws_kms_key.topic allows kms:*"},
		{network, "modules/network/flow_logs.tf", `actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]`, `not_actions = ["logs:DeleteLogGroup"]`,
			"aws_iam_role_policy.flow_logs allows all but some"},
	},
	"no open principal": {
		{archive, "modules/archive/access.tf", `"Deny"`, `"Allow"`, `aws_s3_bucket_policy.this lets in any * principal`},
	},
	"narrow trust": {
		{ingest, "modules/ingest/role.tf", `["lambda.amazonaws.com"]`, `["lambda.amazonaws.com", "ec2.amazonaws.com"]`, "aws_iam_role.function trusts [lambda.amazonaws.com ec2.amazonaws.com]"},
		{cluster, "modules/cluster/nodes.tf", `["ec2.amazonaws.com"]`, `["ssm.amazonaws.com"]`, "aws_iam_role.nodes trusts ssm.amazonaws.com for any account"},
		{network, "modules/network/flow_logs.tf", "type        = \"Service\"\n      identifiers = [\"vpc-flow-logs.amazonaws.com\"]", "type        = \"AWS\"\n      identifiers = [\"210987654321\"]",
			"aws_iam_role.flow_logs trusts AWS"},
	},
	"pod identity": {
		{cluster, "modules/cluster/pod_identity.tf", `["sts:AssumeRole", "sts:TagSession"]`, `["sts:AssumeRole"]`, "does not let EKS Pod Identity sts:TagSession"},
		{cluster, "modules/cluster/pod_identity.tf", `"aws:SourceArn"`, `"aws:RequestTag/eks-cluster-arn"`, "does not say which aws:SourceArn"},
	},
	"github subjects": {
		{"bootstrap", "bootstrap/github.tf", `/${var.github.repository}:environment:${each.value.github_environment}`, `/${var.github.repository}:*`, "has a wildcard in the subject"},
		{"bootstrap", "bootstrap/github.tf", `repo:${var.github.owner}@${var.github.owner_id}/${var.github.repository}@${var.github.repository_id}:`, `repo:${var.github.owner}/other:`,
			"want one environment in the old form and in the new"},
		{"bootstrap", "bootstrap/github.tf", "\"StringEquals\"\n      variable = \"${local.issuer}:sub\"", "\"StringLike\"\n      variable = \"${local.issuer}:sub\"", "compares the subject by [StringLike]"},
	},
	"closed to the world": {
		{edgeExample, "modules/edge/security_group.tf", `[443, 80]`, `[443, 22]`, "lets in the world from port 22 to 22"},
		{databaseExample, "modules/database/network.tf", `referenced_security_group_id = each.value`, `cidr_ipv4 = "0.0.0.0/0"`, "lets in the world from port 5432 to 5432"},
	},
	"endpoints not open": {
		{cluster, "modules/cluster/main.tf", `var.endpoint.public_cidrs : null`, `["0.0.0.0/0"] : null`, "has an endpoint for [0.0.0.0/0]"},
		{cluster, "modules/cluster/main.tf", `endpoint_private_access = true`, `endpoint_private_access = false`, "sends its nodes to the endpoint over the internet"},
		{databaseExample, "modules/database/main.tf", `publicly_accessible    = false`, `publicly_accessible    = true`, "has a public address"},
		{network, "modules/network/main.tf", `map_public_ip_on_launch = false`, `map_public_ip_on_launch = true`, `aws_subnet.public["eu-central-1a"] gives public addresses`},
	},
	"zones in prod": {
		{prod, "envs/prod/environment.tf", `"per_zone"`, `"one"`, "aws_nat_gateway stand in the zones"},
		{prod, "envs/prod/environment.tf", `multi_az        = true`, `multi_az        = false`, "has no standby in another zone"},
		{prod, "modules/cluster/nodes.tf", `subnet_ids             = [each.value]`, `subnet_ids = values(var.network.private_subnet_ids)`, "spans 3 subnets"},
	},
	"private buckets": {
		{archive, "modules/archive/access.tf", `restrict_public_buckets = true`, `restrict_public_buckets = false`, "aws_s3_bucket.this does not restrict_public_buckets"},
		{archive, "modules/archive/access.tf", `"BucketOwnerEnforced"`, `"ObjectWriter"`, "aws_s3_bucket.this honours ACLs"},
	},
	"buckets by TLS only": {
		{"bootstrap", "bootstrap/state.tf", `actions   = ["s3:*"]`, `actions   = ["s3:GetObject"]`, "aws_s3_bucket.state can be read over plain HTTP"},
		{edgeExample, "modules/edge/access_logs.tf", `values   = ["false"]`, `values   = ["true"]`, "aws_s3_bucket.access_logs can be read over plain HTTP"},
	},
	"buckets keep and encrypt": {
		{archive, "modules/archive/main.tf", `status = "Enabled"`, `status = "Suspended"`, "aws_s3_bucket.this keeps no versions"},
		{archive, "modules/archive/encryption.tf", `"aws:kms"`, `"AES256"`, "aws_s3_bucket.this is not encrypted by a KMS key of ours"},
		{"bootstrap", "bootstrap/state.tf", `bucket_key_enabled = true`, `bucket_key_enabled = false`, "aws_s3_bucket.state asks KMS for each object"},
	},
	"keys rotate": {
		{databaseExample, "modules/database/main.tf", `enable_key_rotation     = true`, `enable_key_rotation     = false`, "aws_kms_key.this does not rotate"},
	},
	"encrypted at rest": {
		{ingest, "modules/ingest/dead_letters.tf", `sqs_managed_sse_enabled = true`, `sqs_managed_sse_enabled = false`, "aws_sqs_queue.dead_letters is not encrypted"},
		{cluster, "modules/cluster/nodes.tf", `encrypted             = true`, `encrypted             = false`, "aws_launch_template.nodes is not encrypted"},
		{registry, "modules/registry/main.tf", `"IMMUTABLE"`, `"MUTABLE"`, "lets a tag be moved"},
		{databaseExample, "modules/database/main.tf", `storage_encrypted     = true`, `storage_encrypted     = false`, "aws_db_instance.this is not encrypted"},
	},
	"database": {
		{databaseExample, "modules/database/main.tf", `iam_database_authentication_enabled = true`, `iam_database_authentication_enabled = false`, "takes no IAM tokens"},
		{databaseExample, "modules/database/parameters.tf", `"rds.force_ssl"                       = "1"`, `"rds.force_ssl" = "0"`, "takes connections without TLS"},
		{databaseExample, "modules/database/main.tf", `copy_tags_to_snapshot     = true`, `copy_tags_to_snapshot     = false`, "has snapshots without tags"},
		{databaseExample, "modules/database/main.tf", `final_snapshot_identifier = local.final_snapshot`, `final_snapshot_identifier = null`, "names no final snapshot"},
	},
	"protected in prod": {
		{prod, "modules/database/main.tf", `deletion_protection       = var.deletion_protection`, `deletion_protection       = false`, "aws_db_instance.this can be deleted"},
		{prod, "modules/database/main.tf", `skip_final_snapshot       = !var.final_snapshot`, `skip_final_snapshot       = true`, "aws_db_instance.this is deleted without a snapshot"},
		{prod, "modules/archive/main.tf", `force_destroy = var.force_destroy`, `force_destroy = true`, "aws_s3_bucket.this is deleted with all that is in it"},
		{prod, "modules/edge/main.tf", `enable_deletion_protection = var.deletion_protection`, `enable_deletion_protection = false`, "aws_lb.this can be deleted"},
	},
	"add-on order": {
		{cluster, "modules/cluster/nodes.tf", "    aws_eks_addon.before_nodes,\n", "", "does not wait for vpc-cni"},
		{cluster, "modules/cluster/addons.tf", `depends_on = [aws_eks_node_group.this]`, `depends_on = []`, "is not waited for by coredns"},
	},
	"pinned add-ons": {
		{cluster, "modules/cluster/addons.tf", `kube-proxy             = "v`, `kube-proxy             = "`, `aws_eks_addon.after_nodes["kube-proxy"] has the version`},
	},
	"nodes": {
		{cluster, "modules/cluster/nodes.tf", `"required"`, `"optional"`, "(IMDSv1)"},
		{cluster, "modules/cluster/nodes.tf", `http_put_response_hop_limit = 1`, `http_put_response_hop_limit = 2`, "the hop limit is not 1"},
		{cluster, "modules/cluster/nodes.tf", `["instance", "volume", `, `["instance", `, "makes each volume without the tags"},
		{cluster, "modules/cluster/main.tf", `"audit", `, ``, "keeps no audit log"},
	},
	"log groups": {
		{network, "modules/network/flow_logs.tf", `var.logs.retention_days`, `0`, "aws_cloudwatch_log_group.flow keeps its logs for ever"},
		{ingest, "modules/ingest/main.tf", `kms_key_id        = var.logs.key_arn`, `kms_key_id        = null`, "aws_cloudwatch_log_group.this is not encrypted"},
	},
	"owned log groups": {
		{databaseExample, "modules/database/main.tf", `depends_on = [aws_cloudwatch_log_group.this]`, `depends_on = []`, "does not wait for /aws/rds/instance/bourse-prod/postgresql"},
		{cluster, "modules/cluster/main.tf", `"/aws/eks/${var.name}/cluster"`, `"/eks/${var.name}"`, "logs to /aws/eks/bourse-prod/cluster, which is not in the plan"},
	},
	"tags": {
		{dev, "envs/dev/main.tf", `environment = local.environment, managed-by`, `managed-by`, "aws_vpc.this has no tags [environment]"},
	},
	"alarms": {
		{dev, "modules/observability/alarms_database.tf", `var.database.identifier`, `"postgres"`, `has DBInstanceIdentifier = "postgres"`},
		{dev, "modules/observability/alarms.tf", `ok_actions          = [aws_sns_topic.alarms.arn]`, `ok_actions          = []`, "tells [] by ok_actions"},
		{dev, "modules/observability/alarms.tf", `treat_missing_data  = each.value.missing`, ``, "does not say what missing data means"},
	},
	"function": {
		{ingest, "modules/ingest/main.tf", `destination = aws_sqs_queue.dead_letters.arn`, `destination = "arn:aws:sqs:eu-central-1:123456789012:other"`, "loses the events that fail"},
		{ingest, "modules/ingest/schedules.tf", `      arn = aws_sqs_queue.dead_letters.arn`, `      arn = "arn:aws:sqs:eu-central-1:123456789012:other"`, "loses what it cannot deliver"},
		{ingest, "modules/ingest/schedules.tf", `reason = "schedule" })`, `cause = "schedule" })`, "which is not what the function is tested with"},
		{ingest, "modules/ingest/main.tf", `["arm64"]`, `["x86_64"]`, "runs on [x86_64]"},
	},
}

// The smallest roots that show it.
const (
	archive         = "modules/archive/example"
	cluster         = "modules/cluster/example"
	databaseExample = "modules/database/example"
	edgeExample     = "modules/edge/example"
	ingest          = "modules/ingest/example"
	network         = "modules/network/example"
	registry        = "modules/registry/example"
	dev             = "envs/dev"
	prod            = "envs/prod"
)
