package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A cost is one line of an environment's bill.
type cost struct {
	what     string
	quantity float64 // in units of the price, in a month
	how      string  // how the quantity comes about
	price    string  // its name in prices.yaml
}

// A meter reads costs off the resources of some types.
type meter struct {
	types []string
	read  func(*bill)
}

// A bill collects the costs of an environment.
type bill struct {
	*estate
	*prices
	usage    usage
	costs    []cost
	findings []string
}

func (b *bill) add(what, price string, quantity float64, how string, args ...any) {
	if _, ok := b.Prices[price]; !ok {
		b.findings = append(b.findings, fmt.Sprintf("%s: prices.yaml has no price %s", b.root, price))
	}
	b.costs = append(b.costs, cost{what, quantity, fmt.Sprintf(how, args...), price})
}

// hours adds things that stand all month; note may say more about them.
func (b *bill) hours(what, price string, n float64, note string) {
	b.add(what, price, n*b.Hours, "%g × %g h%s", n, b.Hours, note)
}

// used takes an assumption about one of several things, which must be there.
func (b *bill) used(of map[string]float64, name, what string) float64 {
	value, ok := of[name]
	if !ok {
		b.findings = append(b.findings, fmt.Sprintf("%s: prices.yaml says nothing about the usage of %s %s", b.root, what, name))
	}
	return value
}

func (b *bill) count(kind string) float64 { return float64(len(b.of(kind))) }

var meters = []meter{
	{[]string{"aws_eks_cluster"}, func(b *bill) { b.hours("EKS control plane", "eks/cluster", b.count("aws_eks_cluster"), "") }},
	{[]string{"aws_eks_node_group"}, readNodes},
	{[]string{"aws_nat_gateway"}, func(b *bill) {
		b.hours("NAT gateways", "vpc/nat", b.count("aws_nat_gateway"), "")
		b.add("NAT gateways, data", "vpc/nat-data", b.usage.NATGB, "%g GB*", b.usage.NATGB)
	}},
	{[]string{"aws_eip"}, readAddresses},
	{[]string{"aws_vpc_endpoint"}, readEndpoints},
	{[]string{"aws_db_instance"}, readDatabase},
	{[]string{"aws_lb"}, func(b *bill) {
		b.hours("Load balancer", "alb/hour", b.count("aws_lb"), "")
		b.add("Load balancer, capacity units", "alb/lcu", b.usage.LCU*b.Hours, "%g on average*", b.usage.LCU)
	}},
	{[]string{"aws_wafv2_web_acl"}, readFirewall},
	{[]string{"aws_kms_key"}, func(b *bill) {
		b.add("KMS keys", "kms/key", b.count("aws_kms_key"), "%g keys", b.count("aws_kms_key"))
		b.add("KMS requests", "kms/requests", b.usage.KMSRequestsM, "%g million*", b.usage.KMSRequestsM)
	}},
	{[]string{"aws_secretsmanager_secret"}, func(b *bill) {
		own, masters := b.count("aws_secretsmanager_secret"), 0.0
		for _, r := range b.of("aws_db_instance") {
			if r.is("manage_master_user_password") {
				masters++
			}
		}
		b.add("Secrets", "secrets/secret", own+masters, "%g, and %g of the database's master", own, masters)
	}},
	{[]string{"aws_cloudwatch_log_group"}, readLogs},
	{[]string{"aws_eks_addon"}, readInsights},
	{[]string{"aws_cloudwatch_metric_alarm"}, readAlarms},
	{[]string{"aws_cloudwatch_dashboard"}, func(b *bill) {
		b.add("CloudWatch dashboard", "cloudwatch/dashboard", b.count("aws_cloudwatch_dashboard"), "%g", b.count("aws_cloudwatch_dashboard"))
	}},
	{[]string{"aws_s3_bucket"}, readBuckets},
	{[]string{"aws_ecr_repository"}, func(b *bill) {
		b.add("Images", "ecr/storage", b.usage.ImagesGB, "%g GB* in %g repositories", b.usage.ImagesGB, b.count("aws_ecr_repository"))
	}},
	{[]string{"aws_lambda_function"}, readFunction},
	{[]string{"aws_backup_vault"}, readBackups},
	{nil, func(b *bill) { // what no resource stands for
		b.add("Transfer to the internet", "transfer/internet", b.usage.InternetGB, "%g GB*", b.usage.InternetGB)
		b.add("Transfer between zones", "transfer/zones", b.usage.ZonesGB, "%g GB*", b.usage.ZonesGB)
		b.add("Transfer to the second region", "transfer/regions", b.usage.RegionsGB, "%g GB*", b.usage.RegionsGB)
	}},
}

// readNodes counts what is there at first; the autoscaler may add up to the groups' maximum.
func readNodes(b *bill) {
	nodes, most := map[string]float64{}, 0.0
	for _, r := range b.of("aws_eks_node_group") {
		nodes[r.texts("instance_types")[0]] += r.number("scaling_config.desired_size")
		most += r.number("scaling_config.max_size")
	}
	all := 0.0
	for _, kind := range slices.Sorted(maps.Keys(nodes)) {
		all += nodes[kind]
		b.hours("Nodes, "+kind, "ec2/"+kind, nodes[kind], fmt.Sprintf(", up to %g × as the autoscaler finds", most))
	}
	for _, r := range b.of("aws_launch_template") {
		for _, disk := range r.blocks("block_device_mappings") {
			b.add("Nodes, disks", "ebs/"+disk.text("ebs.volume_type"), all*disk.number("ebs.volume_size"), "%g of %g GB", all, disk.number("ebs.volume_size"))
		}
	}
}

// readAddresses counts those of the load balancer, too: it has one in each of its subnets.
func readAddresses(b *bill) {
	balancers := 0
	for _, r := range b.of("aws_lb") {
		balancers += len(r.texts("subnets"))
	}
	b.hours("Public IPv4 addresses", "vpc/address", b.count("aws_eip")+float64(balancers), fmt.Sprintf(": %g of NAT, %d of the load balancer", b.count("aws_eip"), balancers))
}

func readEndpoints(b *bill) {
	endpoints, interfaces := 0, 0
	for _, r := range b.of("aws_vpc_endpoint") {
		if r.text("vpc_endpoint_type") == "Interface" { // one of a gateway is free
			endpoints++
			interfaces += len(r.texts("subnet_ids"))
		}
	}
	b.hours("Interface endpoints", "vpc/endpoint", float64(interfaces), fmt.Sprintf(": %d endpoints, one in each zone", endpoints))
	b.add("Interface endpoints, data", "vpc/endpoint-data", b.usage.EndpointGB, "%g GB*", b.usage.EndpointGB)
}

func readDatabase(b *bill) {
	for _, r := range b.of("aws_db_instance") {
		copies, standby := 1.0, ""
		if r.is("multi_az") {
			copies, standby = 2, ": one, and its standby"
		}
		b.hours("Database, "+r.text("instance_class"), "rds/"+r.text("instance_class"), copies, standby)
		b.add("Database, storage", "rds/"+r.text("storage_type"), copies*r.number("allocated_storage"), "%g of %g GB", copies, r.number("allocated_storage"))
		b.add("Database, backups", "rds/backup", b.usage.RDSBackupGB, "%g GB* beyond its size", b.usage.RDSBackupGB)
	}
}

func readFirewall(b *bill) {
	rules := 0.0
	for _, r := range b.of("aws_wafv2_web_acl") {
		rules += float64(len(r.blocks("rule")))
	}
	b.add("Firewall", "waf/acl", b.count("aws_wafv2_web_acl"), "%g", b.count("aws_wafv2_web_acl"))
	b.add("Firewall, rules", "waf/rule", rules, "%g", rules)
	b.add("Firewall, requests", "waf/requests", b.usage.RequestsM, "%g million*", b.usage.RequestsM)
}

// readLogs takes each group by the end of its name, so that none is forgotten.
func readLogs(b *bill) {
	ingested, stored := 0.0, 0.0
	for _, r := range b.of("aws_cloudwatch_log_group") {
		name := r.text("name")
		end := name[strings.LastIndex(name, "/")+1:]
		for _, known := range []string{"firewall", "ingest"} { // named after the environment
			if strings.Contains(r.Address, known) {
				end = known
			}
		}
		gb := b.used(b.usage.LogsGB, end, "log group")
		ingested += gb
		stored += gb * b.usage.LogsCompressed * r.number("retention_in_days") / 30
	}
	b.add("Logs, taken in", "logs/ingested", ingested, "%g GB* in %g groups", ingested, b.count("aws_cloudwatch_log_group"))
	b.add("Logs, kept", "logs/stored", stored, "%.1f GB*, compressed", stored)
}

// readInsights counts each metric once a minute. With this add-on Container Insights costs by
// observation, and neither by metric nor for the log group that they come in.
func readInsights(b *bill) {
	nodes := 0.0
	for _, r := range b.of("aws_eks_node_group") {
		nodes += r.number("scaling_config.desired_size")
	}
	for _, r := range b.of("aws_eks_addon") {
		if r.text("addon_name") != "amazon-cloudwatch-observability" {
			continue // the others are pods on our nodes
		}
		o := func(of string) float64 { return b.used(b.usage.Observations, of, "observations of a") }
		minute := o("cluster") + nodes*o("node") + b.usage.Pods*o("pod")
		b.add("Container Insights", "cloudwatch/observations", minute*60*b.Hours/1e6, "%g metrics* a minute", minute)
	}
}

func readAlarms(b *bill) {
	metrics := 0
	for _, r := range b.of("aws_cloudwatch_metric_alarm") {
		queries := r.blocks("metric_query")
		if len(queries) == 0 {
			metrics++
		}
		for _, q := range queries {
			metrics += len(q.blocks("metric"))
		}
	}
	b.add("CloudWatch alarms", "cloudwatch/alarm", float64(metrics), "%g alarms on %d metrics", b.count("aws_cloudwatch_metric_alarm"), metrics)
}

func readBuckets(b *bill) {
	gb := 0.0
	for _, r := range b.of("aws_s3_bucket") {
		kind := "archive"
		for _, known := range []string{"alb-logs", "replica"} {
			if strings.Contains(r.text("bucket"), known) {
				kind = known
			}
		}
		gb += b.used(b.usage.BucketsGB, kind, "bucket")
	}
	b.add("Buckets", "s3/standard", gb, "%g GB* in %g buckets", gb, b.count("aws_s3_bucket"))
	b.add("Buckets, writes", "s3/writes", b.usage.WritesM, "%g million*", b.usage.WritesM)
	b.add("Buckets, reads", "s3/reads", b.usage.ReadsM, "%g million*", b.usage.ReadsM)
}

func readFunction(b *bill) {
	runs := 0.0
	for _, r := range b.of("aws_scheduler_schedule") {
		source := r.Address[strings.Index(r.Address, "[\"")+2 : len(r.Address)-2]
		runs += b.used(b.usage.Runs, source, "the runs of")
	}
	for _, r := range b.of("aws_lambda_function") {
		b.add("Ingest function, runs", "lambda/requests", runs/1e6, "%g runs", runs)
		b.add("Ingest function, time", "lambda/arm64", runs*b.usage.RunSeconds*r.number("memory_size")/1024, "%g s* with %g MB each", b.usage.RunSeconds, r.number("memory_size"))
	}
}

func readBackups(b *bill) {
	b.add("Backups of the database", "backup/rds", b.usage.BackupRDSGB+b.usage.BackupCopyGB, "%g GB*, and %g in the second region", b.usage.BackupRDSGB, b.usage.BackupCopyGB)
	b.add("Backups of the archive", "backup/s3", b.usage.BackupS3GB, "%g GB*", b.usage.BackupS3GB)
	b.add("Backups, restore tests", "backup/restore-test", b.usage.RestoreTests, "%g*", b.usage.RestoreTests)
}

// newBill reads all meters, and sees that no resource is without one.
func newBill(e *estate, p *prices) *bill {
	b := &bill{estate: e, prices: p}
	environment := strings.TrimPrefix(e.root, "envs/")
	u, ok := p.Usage[environment]
	if !ok {
		b.findings = append(b.findings, "prices.yaml has no usage of "+environment)
	}
	b.usage = u
	metered := map[string]bool{}
	for _, m := range meters {
		for _, kind := range m.types {
			metered[kind] = true
		}
		m.read(b)
	}
	for _, kind := range e.types() {
		if !metered[kind] && p.Free[kind] == "" {
			b.findings = append(b.findings, fmt.Sprintf("%s: %s has neither a meter in costs_test.go nor a reason in prices.yaml why it is free", e.root, kind))
		}
		if metered[kind] && p.Free[kind] != "" {
			b.findings = append(b.findings, fmt.Sprintf("%s: %s has a meter and stands in prices.yaml as free", e.root, kind))
		}
	}
	return b
}

// types are those of all managed resources.
func (e *estate) types() []string {
	found := map[string]bool{}
	for _, r := range e.resources {
		if r.Mode == "managed" {
			found[r.Type] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
