package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// actionsOf are the IAM actions that an operation is checked for, on the buckets, the
// secrets and the database that we make: all are encrypted with a key of ours, so S3 and
// Secrets Manager ask KMS in the name of the caller. Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
// and list_amazonrdsiamauthentication.html and list_awssecretsmanager.html beside it; for KMS
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
var actionsOf = map[string][]string{
	"rds.BuildAuthToken":         {"rds-db:connect"},
	"s3.AbortMultipartUpload":    {"s3:AbortMultipartUpload"},
	"s3.CompleteMultipartUpload": {"s3:PutObject", "kms:Decrypt via s3"},
	"s3.CreateMultipartUpload":   {"s3:PutObject", "kms:GenerateDataKey via s3"},
	"s3.GetObject":               {"s3:GetObject", "kms:Decrypt via s3"},
	"s3.PutObject":               {"s3:PutObject", "kms:GenerateDataKey via s3"},
	"s3.UploadPart":              {"s3:PutObject", "kms:GenerateDataKey via s3", "kms:Decrypt via s3"},

	"secretsmanager.GetSecretValue": {"secretsmanager:GetSecretValue", "kms:Decrypt via secretsmanager"},
}

// notHere are operations that libraries have in store and that no setting of ours leads to:
// each with its reason.
var notHere = map[string]string{
	"s3.CreateSession":              "S3 Express: only for directory buckets, whose names end in --x-s3",
	"sts.AssumeRole":                "only where the archive's URL names a role",
	"sts.AssumeRoleWithWebIdentity": "only where the archive's URL names a role; needs no rights",
}

// ofLambda is what the service asks for in the role's name, beside the program:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html, lambda-intro-execution-role.html,
// invocation-async-retain-records.html and services-xray.html beside it.
var ofLambda = map[string]string{
	"ec2:AssignPrivateIpAddresses":   "network interfaces in the VPC",
	"ec2:CreateNetworkInterface":     "network interfaces in the VPC",
	"ec2:DeleteNetworkInterface":     "network interfaces in the VPC",
	"ec2:DescribeNetworkInterfaces":  "network interfaces in the VPC",
	"ec2:DescribeSubnets":            "network interfaces in the VPC",
	"ec2:UnassignPrivateIpAddresses": "network interfaces in the VPC",
	"logs:CreateLogStream":           "the function's log",
	"logs:PutLogEvents":              "the function's log",
	"sqs:SendMessage":                "runs that failed for good go to the queue",
	"xray:PutTelemetryRecords":       "tracing is on",
	"xray:PutTraceSegments":          "tracing is on",
}

// A job is a role of ours and the program that takes it.
type job struct {
	policies []string // addresses of role policies, without keys of modules
	command  string
	service  map[string]string
}

var jobs = map[string]map[string]job{
	"modules/workload/example": {
		"api":     {policies: []string{`aws_iam_role_policy.this["api"]`}, command: "api"},
		"ingest":  {policies: []string{`aws_iam_role_policy.this["ingest"]`}, command: "ingest"},
		"migrate": {policies: []string{`aws_iam_role_policy.this["migrate"]`}, command: "migrate"},
	},
	"modules/ingest/example": {
		"function": {policies: []string{"aws_iam_role_policy.function", "aws_iam_role_policy.network"}, command: "ingest-lambda", service: ofLambda},
		"scheduler": {policies: []string{"aws_iam_role_policy.scheduler"}, service: map[string]string{
			"lambda:InvokeFunction": "EventBridge Scheduler starts the function; there is no program of ours",
			"sqs:SendMessage":       "what it could not start goes to the queue",
		}},
	},
}

// settings are what an environment gives a module and its example does not.
var settings = map[string]string{"modules/workload/example": `
module "workload" {
  secrets = {
    arns    = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:bourse-prod/alphavantage-key-AbCdEf"]
    key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
}
`}

// TestLeastPrivilege compares what each program can ask for with what its role allows.
func TestLeastPrivilege(t *testing.T) {
	needStandIn(t)
	t.Parallel()
	p, err := commands()
	if err != nil {
		t.Fatal(err)
	}
	for root, jobs := range jobs {
		w := openTest(t)
		if err := os.WriteFile(filepath.Join(w.path(root), "main_override.tf"), []byte(settings[root]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.prepare(t.Context(), root); err != nil {
			t.Fatal(err)
		}
		e, err := w.apply(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		granted := grants(e)
		for name, job := range jobs {
			var calls map[string]string
			if job.command != "" {
				calls = p.calls("bourse/cmd/" + job.command)
			}
			have := map[string]bool{}
			for _, policy := range job.policies {
				if granted[policy] == nil {
					t.Errorf("%s: there is no %s", root, policy)
				}
				maps.Copy(have, granted[policy])
				delete(granted, policy)
			}
			for _, finding := range compare(job, calls, have) {
				t.Errorf("%s of %s: %s", name, root, finding)
			}
			t.Logf("%s of %s: %s", name, root, strings.Join(slices.Sorted(maps.Keys(have)), ", "))
		}
		for policy := range granted {
			t.Errorf("%s: %s is of no job: say in jobs who takes this role", root, policy)
		}
	}
}

// grants are the actions that each role policy allows, those of KMS with the service that
// must ask for them.
func grants(e *estate) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	for _, p := range e.policies() {
		if !p.identity() {
			continue
		}
		_, address, _ := strings.Cut(p.of.Address, ".aws_iam_") // after the module
		address = "aws_iam_" + address
		found[address] = map[string]bool{}
		for _, s := range p.statements {
			if s.Effect != "Allow" {
				continue
			}
			via := ""
			if services, _ := s.values("kms:ViaService"); len(services) > 0 {
				service, _, _ := strings.Cut(services[0], ".")
				via = " via " + service
			}
			for _, action := range s.Action {
				found[address][action+via] = true
			}
		}
	}
	return found
}

// compare lists what is missing, and what is granted and never used.
func compare(j job, calls map[string]string, granted map[string]bool) []string {
	var findings []string
	report := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	used := map[string]string{}
	for operation, by := range calls {
		if notHere[operation] != "" {
			continue
		}
		if actionsOf[operation] == nil {
			report("%s is called by %s: say in actionsOf which actions it is checked for", operation, by)
		}
		for _, action := range actionsOf[operation] {
			used[action] = operation + ", called by " + by
		}
	}
	for action, reason := range j.service {
		used[action] = reason
	}
	for action, why := range used {
		if !granted[action] {
			report("%s is missing: %s", action, why)
		}
	}
	for action := range granted {
		if used[action] == "" {
			report("%s is allowed and not used", action)
		}
	}
	slices.Sort(findings)
	return findings
}

func TestCompare(t *testing.T) {
	reads := map[string]string{"s3.GetObject": "main"}
	for name, c := range map[string]struct {
		job     job
		calls   map[string]string
		granted string
		want    []string
	}{
		"enough":         {job{}, reads, "s3:GetObject, kms:Decrypt via s3", nil},
		"missing":        {job{}, reads, "s3:GetObject", []string{"kms:Decrypt via s3 is missing: s3.GetObject, called by main"}},
		"by another way": {job{}, reads, "s3:GetObject, kms:Decrypt via secretsmanager", []string{"kms:Decrypt via s3 is missing: s3.GetObject, called by main", "kms:Decrypt via secretsmanager is allowed and not used"}},
		"unused":         {job{}, nil, "s3:GetObject", []string{"s3:GetObject is allowed and not used"}},
		"a wildcard":     {job{}, reads, "s3:*, kms:Decrypt via s3", []string{"s3:* is allowed and not used", "s3:GetObject is missing: s3.GetObject, called by main"}},
		"unknown":        {job{}, map[string]string{"s3.DeleteBucket": "main"}, "", []string{"s3.DeleteBucket is called by main: say in actionsOf which actions it is checked for"}},
		"of the service": {job{service: map[string]string{"logs:PutLogEvents": "logs"}}, nil, "", []string{"logs:PutLogEvents is missing: logs"}},
	} {
		granted := map[string]bool{}
		for action := range strings.SplitSeq(c.granted, ", ") {
			granted[action] = action != ""
		}
		delete(granted, "")
		if got := compare(c.job, c.calls, granted); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
