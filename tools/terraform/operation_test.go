package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

var operationRules = []rule{
	{"log groups", logGroups},
	{"owned log groups", ownedLogGroups},
	{"tags", tags},
	{"alarms", alarms},
	{"function", function},
}

var version = regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`)

func logGroups(e *estate, r *report) {
	for _, g := range e.of("aws_cloudwatch_log_group") {
		r.want(g.number("retention_in_days") > 0, g, "keeps its logs for ever")
		r.want(g.text("kms_key_id") != "", g, "is not encrypted by a key of ours")
	}
}

// ownedLogGroups: a service makes the group that it finds missing, without a key or an end,
// and a destroy leaves that behind. So ours is there first.
func ownedLogGroups(e *estate, r *report) {
	groups := map[string]resource{}
	for _, g := range e.of("aws_cloudwatch_log_group") {
		groups[g.text("name")] = g
	}
	want := func(of resource, name string) {
		r.want(groups[name].Type != "", of, "logs to %s, which is not in the plan", name)
		r.want(e.waits(of, groups[name]), of, "does not wait for %s and could make it itself", name)
	}
	for _, f := range e.of("aws_lambda_function") {
		name := f.text("logging_config.log_group")
		if !strings.HasPrefix(name, "/") {
			name = "/aws/lambda/" + f.text("function_name")
		}
		want(f, name)
	}
	for _, c := range e.of("aws_eks_cluster") {
		if len(c.texts("enabled_cluster_log_types")) > 0 {
			want(c, "/aws/eks/"+c.text("name")+"/cluster")
		}
	}
	for _, d := range e.of("aws_db_instance") {
		for _, log := range d.texts("enabled_cloudwatch_logs_exports") {
			want(d, "/aws/rds/instance/"+d.text("identifier")+"/"+log)
		}
	}
	for _, a := range e.of("aws_eks_addon") {
		if !e.whole() || a.text("addon_name") != "amazon-cloudwatch-observability" {
			continue
		}
		for _, log := range []string{"application", "dataplane", "host", "performance"} {
			want(a, "/aws/containerinsights/"+a.text("cluster_name")+"/"+log)
		}
	}
}

// whole says whether the estate is an environment, in which everything that is named is.
func (e *estate) whole() bool { return strings.HasPrefix(e.root, "envs/") }

var requiredTags = []string{"project", "environment"}

func missingTags(tags map[string]any) []string {
	return slices.DeleteFunc(slices.Clone(requiredTags), func(key string) bool { s, _ := tags[key].(string); return s != "" })
}

// tags: what costs money says what it belongs to. tags_all holds those of the provider too.
func tags(e *estate, r *report) {
	for _, of := range e.resources {
		all, can := of.Values["tags_all"]
		if of.Mode != "managed" || !can {
			continue
		}
		values, _ := all.(map[string]any)
		missing := missingTags(values)
		if e.root == "bootstrap" { // it is there for all environments
			missing = slices.DeleteFunc(missing, func(key string) bool { return key == "environment" })
		}
		r.want(len(missing) == 0, of, "has no tags %v", missing)
	}
}

// dimensions are what a metric's dimension must be equal to: an attribute of a resource of
// the same plan. Else the alarm watches nothing.
var dimensions = map[string][2]string{
	"AutoScalingGroupName": {"aws_eks_node_group", "resources.autoscaling_groups.name"},
	"BackupVaultName":      {"aws_backup_vault", "name"},
	"ClusterName":          {"aws_eks_cluster", "name"},
	"DBInstanceIdentifier": {"aws_db_instance", "identifier"},
	"FunctionName":         {"aws_lambda_function", "function_name"},
	"LoadBalancer":         {"aws_lb", "arn_suffix"},
	"NatGatewayId":         {"aws_nat_gateway", "id"},
	"QueueName":            {"aws_sqs_queue", "name"},
	"ScheduleGroup":        {"aws_scheduler_schedule_group", "name"},
	"function":             {"aws_lambda_function", "function_name"}, // of ingest's own metrics
	"TargetGroup":          {"aws_lb_target_group", "arn_suffix"},
	"TopicName":            {"aws_sns_topic", "name"},
	"WebACL":               {"aws_wafv2_web_acl", "name"},
}

// free are dimensions that name no resource, each with what may stand there.
var free = map[string]*regexp.Regexp{
	"Region":    regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`),                  // of a regional web ACL
	"Rule":      regexp.MustCompile(`^(ALL|[A-Za-z0-9-]+)$`),                    // of a web ACL
	"Namespace": regexp.MustCompile(`^(bourse|kube-system|amazon-cloudwatch)$`), // of the cluster
	"Service":   regexp.MustCompile(`^bourse-(web|api)$`),                       // of the chart
	"source":    regexp.MustCompile(`^(ecb|coinbase|alphavantage)$`),            // of ingest's own metrics
}

func alarms(e *estate, r *report) {
	if !e.whole() {
		return
	}
	topics := map[string]bool{}
	for _, t := range e.of("aws_sns_topic") {
		topics[t.text("arn")] = true
	}
	for _, a := range e.of("aws_cloudwatch_metric_alarm") {
		for _, list := range []string{"alarm_actions", "ok_actions"} {
			told := a.texts(list)
			r.want(len(told) > 0 && !slices.ContainsFunc(told, func(arn string) bool { return !topics[arn] }), a, "tells %v by %s: want topics of this plan", told, list)
		}
		r.want(slices.Contains([]string{"breaching", "notBreaching", "ignore"}, a.text("treat_missing_data")), a, "does not say what missing data means")
		metrics := []resource{a}
		if queries := a.blocks("metric_query"); len(queries) > 0 {
			metrics = nil
			for _, q := range queries {
				metrics = append(metrics, q.blocks("metric")...)
			}
		}
		r.want(len(metrics) > 0, a, "watches no metric")
		for _, m := range metrics {
			e.wantDimensions(a, m, r)
		}
	}
}

func (e *estate) wantDimensions(alarm, metric resource, r *report) {
	named, _ := metric.get("dimensions").(map[string]any)
	r.want(len(named) > 0 || e.filtered(metric), alarm, "watches %s without a dimension: of nothing in this plan", metric.text("metric_name"))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		value, _ := named[name].(string)
		if form, ok := free[name]; ok {
			r.want(form.MatchString(value), alarm, "has the dimension %s = %q", name, value)
			continue
		}
		is, known := dimensions[name]
		r.want(known, alarm, "has the dimension %s, which this test cannot place", name)
		if known {
			r.want(len(e.with(is[0], is[1], value)) > 0, alarm, "has %s = %q, which no %s of this plan has", name, value, is[0])
		}
	}
}

// filtered says whether a metric comes from a log by a filter of this plan.
func (e *estate) filtered(metric resource) bool {
	return slices.ContainsFunc(e.of("aws_cloudwatch_log_metric_filter"), func(f resource) bool {
		return f.text("metric_transformation.name") == metric.text("metric_name") && f.text("metric_transformation.namespace") == metric.text("namespace")
	})
}

// function: an event that fails for good, or that cannot be delivered, waits in a queue of
// this plan.
func function(e *estate, r *report) {
	queues := map[string]bool{}
	for _, q := range e.of("aws_sqs_queue") {
		queues[q.text("arn")] = true
	}
	for _, f := range e.of("aws_lambda_function") {
		kept := queues[f.text("dead_letter_config.target_arn")]
		for _, c := range e.with("aws_lambda_function_event_invoke_config", "function_name", f.text("function_name")) {
			kept = kept || queues[c.text("destination_config.on_failure.destination")]
		}
		r.want(kept, f, "loses the events that fail: no dead letters")
		r.want(slices.Equal(f.texts("architectures"), []string{"arm64"}), f, "runs on %v, and the zip is built for arm64", f.texts("architectures"))
		r.want(f.text("runtime") == "provided.al2023", f, "has the runtime %q", f.text("runtime"))
	}
	for _, s := range e.of("aws_scheduler_schedule") {
		r.want(queues[s.text("target.dead_letter_config.arn")], s, "loses what it cannot deliver: no dead letters")
		r.want(s.get("target.retry_policy") != nil, s, "does not say how often it tries")
		r.want(s.text("target.input") == scheduledEvent(s), s, "sends %s, which is not what the function is tested with", s.text("target.input"))
	}
}

// scheduledEvent is the event that cmd/ingest-lambda is tested with, for the source of a schedule.
func scheduledEvent(schedule resource) string {
	event, err := os.ReadFile("../../cmd/ingest-lambda/testdata/event.json")
	if err != nil {
		return err.Error()
	}
	source := regexp.MustCompile(`\["(\w+)"\]$`).FindStringSubmatch(schedule.Address)
	if source == nil {
		return "no source in " + schedule.Address
	}
	return strings.Replace(strings.TrimSpace(string(event)), `"ecb"`, `"`+source[1]+`"`, 1)
}
