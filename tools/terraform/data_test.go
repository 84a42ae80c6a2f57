package main

import (
	"slices"
	"strings"
)

var dataRules = []rule{
	{"private buckets", privateBuckets},
	{"buckets by TLS only", bucketsByTLS},
	{"buckets keep and encrypt", bucketsKeep},
	{"keys rotate", keysRotate},
	{"encrypted at rest", encryptedAtRest},
	{"database", database},
	{"protected in prod", protectedInProd},
}

// about lists what a resource of S3 says of a bucket.
func (e *estate) about(bucket resource, kind string) []resource {
	return slices.DeleteFunc(e.of(kind), func(r resource) bool {
		return r.text("bucket") != bucket.text("id") && r.text("bucket") != bucket.text("bucket")
	})
}

func privateBuckets(e *estate, r *report) {
	for _, bucket := range e.of("aws_s3_bucket") {
		blocks := e.about(bucket, "aws_s3_bucket_public_access_block")
		r.want(len(blocks) == 1, bucket, "has no public access block")
		for _, b := range blocks {
			for _, what := range []string{"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"} {
				r.want(b.is(what), bucket, "does not %s", what)
			}
		}
		owners := e.about(bucket, "aws_s3_bucket_ownership_controls")
		r.want(len(owners) == 1 && owners[0].text("rule.object_ownership") == "BucketOwnerEnforced", bucket, "honours ACLs: object_ownership is not BucketOwnerEnforced")
	}
}

// bucketsByTLS: the denial must be of all actions, to all, on the bucket and its objects.
func bucketsByTLS(e *estate, r *report) {
	for _, bucket := range e.of("aws_s3_bucket") {
		arn := bucket.text("arn")
		r.want(slices.ContainsFunc(e.about(bucket, "aws_s3_bucket_policy"), func(p resource) bool {
			statements, _ := parsePolicy(p.text("policy"))
			return slices.ContainsFunc(statements, func(s statement) bool {
				plain, operators := s.values("aws:SecureTransport")
				return s.Effect == "Deny" && (slices.Equal(s.Principal["*"], many{"*"}) || slices.Equal(s.Principal["AWS"], many{"*"})) &&
					slices.Equal(s.Action, many{"s3:*"}) && slices.Contains(s.Resource, arn) && slices.Contains(s.Resource, arn+"/*") &&
					len(s.Condition) == 1 && slices.Equal(plain, []string{"false"}) && slices.Equal(operators, []string{"Bool"})
			})
		}), bucket, "can be read over plain HTTP")
	}
}

// unversioned are buckets whose objects are written once and never again, each with its
// reason: a version would only cost.
var unversioned = map[string]string{
	"aws_s3_bucket.access_logs": "Elastic Load Balancing gives each file a random name and nobody may write but it; they expire",
}

// onlyS3Keys are buckets that a service writes to which cannot use KMS.
var onlyS3Keys = map[string]string{
	"aws_s3_bucket.access_logs": "Elastic Load Balancing delivers to buckets with S3's own keys only",
}

func bucketsKeep(e *estate, r *report) {
	for _, bucket := range e.of("aws_s3_bucket") {
		name := bucket.Address[strings.LastIndex(bucket.Address, "aws_s3_bucket."):]
		versioning := e.about(bucket, "aws_s3_bucket_versioning")
		kept := len(versioning) == 1 && versioning[0].text("versioning_configuration.status") == "Enabled"
		r.want(kept || unversioned[name] != "", bucket, "keeps no versions: what is overwritten is lost")
		encryption := e.about(bucket, "aws_s3_bucket_server_side_encryption_configuration")
		r.want(len(encryption) == 1, bucket, "does not say how it is encrypted")
		for _, c := range encryption {
			if onlyS3Keys[name] != "" {
				continue
			}
			rule := "rule.apply_server_side_encryption_by_default."
			r.want(c.text(rule+"sse_algorithm") == "aws:kms" && c.text(rule+"kms_master_key_id") != "", bucket, "is not encrypted by a KMS key of ours")
			r.want(c.is("rule.bucket_key_enabled"), bucket, "asks KMS for each object: no bucket key")
		}
	}
}

func keysRotate(e *estate, r *report) {
	for _, key := range e.of("aws_kms_key") {
		r.want(key.is("enable_key_rotation"), key, "does not rotate")
	}
}

// off is how an attribute says no; a launch template has its truth values as text.
var off = []any{nil, false, "", "false"}

// encryptedAtRest lists, for each kind of resource that keeps data, what says so: any one
// of the attributes.
func encryptedAtRest(e *estate, r *report) {
	for kind, any := range map[string][]string{
		"aws_sqs_queue":       {"sqs_managed_sse_enabled", "kms_master_key_id"},
		"aws_sns_topic":       {"kms_master_key_id"},
		"aws_backup_vault":    {"kms_key_arn"},
		"aws_db_instance":     {"storage_encrypted"},
		"aws_eks_cluster":     {"encryption_config.provider.key_arn"},
		"aws_ebs_volume":      {"encrypted"},
		"aws_launch_template": {"block_device_mappings.ebs.encrypted"},
	} {
		for _, of := range e.of(kind) {
			r.want(slices.ContainsFunc(any, func(path string) bool { return !slices.Contains(off, of.get(path)) }), of, "is not encrypted: none of %v", any)
		}
	}
	for _, repository := range e.of("aws_ecr_repository") {
		r.want(repository.text("image_tag_mutability") == "IMMUTABLE", repository, "lets a tag be moved to another image")
		r.want(repository.is("image_scanning_configuration.scan_on_push"), repository, "does not scan its images")
	}
}

func database(e *estate, r *report) {
	for _, d := range e.of("aws_db_instance") {
		r.want(d.is("iam_database_authentication_enabled"), d, "takes no IAM tokens")
		r.want(d.is("manage_master_user_password") && d.get("password") == nil, d, "has a master password that is in the state and not rotated")
		r.want(d.text("kms_key_id") != "", d, "is encrypted by a key that is not ours")
		r.want(d.text("final_snapshot_identifier") != "", d, "names no final snapshot")
		r.want(d.is("copy_tags_to_snapshot"), d, "has snapshots without tags: nobody knows whose they are")
		r.want(d.number("backup_retention_period") >= 1, d, "keeps no backups")
		forced := false
		for _, group := range e.with("aws_db_parameter_group", "name", d.text("parameter_group_name")) {
			for _, p := range group.blocks("parameter") {
				forced = forced || p.text("name") == "rds.force_ssl" && p.text("value") == "1"
			}
		}
		r.want(forced, d, "takes connections without TLS")
	}
}

// protectedInProd: no single command, and no mistake in a plan, removes the data.
func protectedInProd(e *estate, r *report) {
	if e.root != "envs/prod" {
		return
	}
	for _, d := range e.of("aws_db_instance") {
		r.want(d.is("deletion_protection"), d, "can be deleted")
		r.want(!d.is("skip_final_snapshot"), d, "is deleted without a snapshot")
	}
	for _, lb := range e.of("aws_lb") {
		r.want(lb.is("enable_deletion_protection"), lb, "can be deleted")
	}
	for _, bucket := range e.of("aws_s3_bucket") {
		r.want(!bucket.is("force_destroy"), bucket, "is deleted with all that is in it")
	}
	for _, repository := range e.of("aws_ecr_repository") {
		r.want(!repository.is("force_delete"), repository, "is deleted with all that is in it")
	}
}
