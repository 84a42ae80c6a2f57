package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A lack is a line or block of the sources that the double cannot make, and that is left out
// of the copy for it.
type lack struct{ file, line, why string }

var cannot = []lack{
	{
		"bootstrap/state.tf", "newer_noncurrent_versions = 20",
		"GetBucketLifecycleConfiguration answers without NewerNoncurrentVersions; the provider waits 3 minutes for it and fails",
	},
	{"modules/backup/main.tf", `resource "aws_backup_selection" "this" {`, "CreateBackupSelection: 500; there are no selections"},
	{"modules/backup/vault.tf", `resource "aws_backup_vault_notifications" "this" {`, "PutBackupVaultNotifications: 404"},
	{"modules/backup/vault.tf", "force_destroy = var.force_destroy", "ListRecoveryPointsByBackupVault: 404"},
	{"modules/backup/copy.tf", "force_destroy = var.force_destroy", "ListRecoveryPointsByBackupVault: 404"},
	{"modules/backup/restore_testing.tf", `resource "aws_backup_restore_testing_plan" "this" {`, "CreateRestoreTestingPlan: 404"},
	{"modules/backup/restore_testing.tf", `resource "aws_backup_restore_testing_selection" "database" {`, "its plan is not there"},
	{"modules/backup/restore_testing.tf", `resource "aws_backup_restore_testing_selection" "archive" {`, "its plan is not there"},
	{"modules/observability/topic.tf", `resource "aws_budgets_budget" "month" {`, "ListTagsForResource of Budgets: 500, not implemented"},
}

// cut leaves the lack out of the copy. A block ends at the first brace under its beginning.
func (l lack) cut(t *testing.T, w *workspace) {
	t.Helper()
	path := w.path(l.file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	found, end := false, ""
	for line := range strings.SplitSeq(string(text), "\n") {
		switch {
		case end != "":
			if line == end {
				end = ""
			}
		case strings.Join(strings.Fields(line), " ") == l.line:
			found = true
			if strings.HasSuffix(line, "{") {
				end = line[:len(line)-len(strings.TrimLeft(line, " "))] + "}"
			}
		default:
			kept = append(kept, line)
		}
	}
	if !found || end != "" {
		t.Fatalf("%s has no %q to leave out", l.file, l.line)
	}
	if err := os.WriteFile(path, []byte(strings.Join(kept, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A gap is an attribute that the double does not answer as it was given, so that a plan wants
// to give it again. A change of it that begins with another answer is not excused.
type gap struct {
	kind, attribute string
	answer          *regexp.Regexp // as JSON
	why             string
}

var (
	absent = regexp.MustCompile(`^(null|""|\[\]|\{\}|0|false)$`)
	one    = regexp.MustCompile(`^"?1"?$`)
)

var forgets = []gap{
	{"aws_backup_plan", "tags_all", absent, "ListTags of AWS Backup takes its ARN from a path that ends in a slash, and the provider's does not"},
	{"aws_backup_vault", "tags_all", absent, "the same"},
	{"aws_db_instance", "performance_insights_enabled", absent, "DescribeDBInstances knows no Performance Insights"},
	{"aws_db_instance", "performance_insights_kms_key_id", absent, "the same"},
	{"aws_db_instance", "performance_insights_retention_period", absent, "the same"},
	{"aws_db_parameter_group", "parameter", absent, "DescribeDBParameters says of no parameter that its source is the user"},
	{"aws_s3_bucket_replication_configuration", "rule.source_selection_criteria", absent, "GetBucketReplication answers without SourceSelectionCriteria"},
	{"aws_lambda_function", "logging_config", absent, "GetFunction answers without LoggingConfig"},
	{"aws_vpc_security_group_egress_rule", "description", absent, "DescribeSecurityGroupRules knows descriptions of addresses only, not of groups"},
	{"aws_vpc_security_group_ingress_rule", "description", absent, "the same"},
	{
		"aws_launch_template", "tag_specifications", regexp.MustCompile(`"launch-template"`),
		"DescribeLaunchTemplateVersions adds the tags of the template itself to those of what is launched",
	},
	{"aws_launch_template", "default_version", one, "it follows from the template's change"},
	{"aws_launch_template", "latest_version", one, "it follows from the template's change"},
	{"aws_eks_node_group", "launch_template.version", one, "it follows from the template's change"},
	{"aws_iam_role_policy", "policy", regexp.MustCompile(`StartRuns`), "it follows from the function's change: its document is read again"},
}

// A plan is what `terraform show -json` says of one.
type plan struct {
	Changes []struct {
		Address, Mode, Type string
		Change              struct {
			Actions       []string
			Before, After any
			Unknown       any `json:"after_unknown"`
		}
	} `json:"resource_changes"`
}

// planAgain plans once more and reports what is not excused. It returns the gaps that were.
func (w *workspace) planAgain(t *testing.T, root string) []gap {
	t.Helper()
	values, err := w.values(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.terraform(t.Context(), root, append([]string{"plan", "-out=again.tfplan"}, values...)...); err != nil {
		t.Fatal(err)
	}
	text, err := w.terraform(t.Context(), root, "show", "-json", "again.tfplan")
	if err != nil {
		t.Fatal(err)
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	var met []gap
	for _, c := range p.Changes {
		if c.Mode != "managed" || slices.Equal(c.Change.Actions, []string{"no-op"}) {
			continue
		}
		if !slices.Equal(c.Change.Actions, []string{"update"}) {
			t.Errorf("a second plan wants to %v %s", c.Change.Actions, c.Address)
			continue
		}
		for attribute, before := range changes(c.Change.Before, c.Change.After, c.Change.Unknown) {
			if g, known := excuse(c.Type, attribute, before); known {
				met = append(met, g)
			} else {
				t.Errorf("a second plan wants to change %s of %s, which was %s", attribute, c.Address, before)
			}
		}
	}
	return met
}

func excuse(kind, attribute string, before []byte) (gap, bool) {
	at := slices.IndexFunc(forgets, func(g gap) bool { return g.kind == kind && g.attribute == attribute && g.answer.Match(before) })
	if at < 0 {
		return gap{}, false
	}
	return forgets[at], true
}

// changes are the attributes that differ or will be known later, with their old values. A
// block that stands once is looked into.
func changes(before, after, unknown any) map[string][]byte {
	found := map[string][]byte{}
	old, fields := before.(map[string]any)
	now, _ := after.(map[string]any)
	later, _ := unknown.(map[string]any)
	if !fields {
		return found
	}
	for name := range old {
		was, _ := json.Marshal(old[name])
		is, _ := json.Marshal(now[name])
		inside, wasBlock := single(old[name])
		becomes, isBlock := single(now[name])
		will, _ := single(later[name])
		switch {
		case wasBlock && isBlock:
			for inner, value := range changes(inside, becomes, will) {
				found[name+"."+inner] = value
			}
		case later[name] == true, string(was) != string(is):
			found[name] = was
		}
	}
	return found
}

func single(value any) (any, bool) {
	list, _ := value.([]any)
	if len(list) != 1 {
		return nil, false
	}
	_, block := list[0].(map[string]any)
	return list[0], block
}

// TestChangesAreSeen gives what the double forgets, and what looks like it.
func TestChangesAreSeen(t *testing.T) {
	const rule = "aws_vpc_security_group_ingress_rule"
	for _, c := range []struct {
		kind, before, after, unknown string
		found                        string
		excused                      bool
	}{
		{rule, `{"description":"a"}`, `{"description":"a"}`, `{}`, "", false},
		{rule, `{"description":null}`, `{"description":"a"}`, `{}`, "description", true},
		{rule, `{"description":"a"}`, `{"description":"b"}`, `{}`, "description", false},
		{rule, `{"cidr_ipv4":null}`, `{"cidr_ipv4":"0.0.0.0/0"}`, `{}`, "cidr_ipv4", false},
		{"aws_kms_key", `{"description":null}`, `{"description":"a"}`, `{}`, "description", false},
		{"aws_kms_key", `{"description":null}`, `{}`, `{"description":true}`, "description", false},
		{"aws_eks_node_group", `{"launch_template":[{"version":"1"}]}`, `{"launch_template":[{}]}`, `{"launch_template":[{"version":true}]}`, "launch_template.version", true},
		{"aws_eks_node_group", `{"launch_template":[{"id":"a"}]}`, `{"launch_template":[{"id":"b"}]}`, `{}`, "launch_template.id", false},
		{"aws_lambda_function", `{"logging_config":[]}`, `{"logging_config":[{"log_format":"JSON"}]}`, `{}`, "logging_config", true},
		{"aws_lambda_function", `{"logging_config":[{"log_format":"Text"}]}`, `{"logging_config":[{"log_format":"JSON"}]}`, `{}`, "logging_config.log_format", false},
	} {
		var values [3]any
		for i, text := range []string{c.before, c.after, c.unknown} {
			if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
				t.Fatal(err)
			}
		}
		found := changes(values[0], values[1], values[2])
		before, seen := found[c.found]
		_, excused := excuse(c.kind, c.found, before)
		if seen != (c.found != "") || len(found) > 1 || excused != c.excused {
			t.Errorf("%s from %s to %s: found %s, excused %v; want %q, %v", c.kind, c.before, c.after, found, excused, c.found, c.excused)
		}
	}
}
