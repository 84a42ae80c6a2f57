package main

import (
	"strings"
	"testing"
)

// TestBill gives the meters a small environment, whose bill can be worked out by hand, and
// then things that they must not overlook.
func TestBill(t *testing.T) {
	p := &prices{Hours: 100, Prices: map[string]price{}, Usage: map[string]usage{"small": {
		LogsGB: map[string]float64{"cluster": 10}, LogsCompressed: 0.5, Observations: map[string]float64{"cluster": 1, "node": 1, "pod": 1},
	}}, Free: map[string]string{"aws_vpc": "settings"}}
	for name, usd := range map[string]float64{"eks/cluster": 1, "ec2/small": 2, "ebs/gp3": 3, "rds/db.small": 4, "rds/gp3": 5, "vpc/endpoint": 6, "logs/ingested": 7, "logs/stored": 8} {
		p.Prices[name] = price{USD: usd, Unit: "hour", Basis: "quoted"}
	}
	made := func(kind string, values map[string]any) resource {
		return resource{Address: "module.m." + kind + ".this", Mode: "managed", Type: kind, Values: values}
	}
	block := func(values map[string]any) []any { return []any{values} }
	group := func(desired float64) resource {
		return made("aws_eks_node_group", map[string]any{"instance_types": []any{"small", "other"}, "scaling_config": block(map[string]any{"desired_size": desired, "max_size": 9.0})})
	}
	e := &estate{root: "envs/small", resources: []resource{
		made("aws_vpc", nil), made("aws_eks_cluster", nil), group(1), group(2),
		made("aws_launch_template", map[string]any{"block_device_mappings": block(map[string]any{"ebs": block(map[string]any{"volume_type": "gp3", "volume_size": 10.0})})}),
		made("aws_db_instance", map[string]any{"instance_class": "db.small", "multi_az": true, "allocated_storage": 10.0, "storage_type": "gp3"}),
		made("aws_vpc_endpoint", map[string]any{"vpc_endpoint_type": "Interface", "subnet_ids": []any{"a", "b"}}),
		made("aws_vpc_endpoint", map[string]any{"vpc_endpoint_type": "Gateway"}),
		made("aws_cloudwatch_log_group", map[string]any{"name": "/aws/eks/small/cluster", "retention_in_days": 60.0}),
	}}
	p.Free["aws_launch_template"] = "settings"
	b := newBill(e, p)
	for what, usd := range map[string]float64{
		"EKS control plane": 100, "Nodes, small": 3 * 100 * 2, "Nodes, disks": 3 * 10 * 3, "Database, db.small": 2 * 100 * 4, "Database, storage": 2 * 10 * 5,
		"Interface endpoints": 2 * 100 * 6, "Logs, taken in": 10 * 7, "Logs, kept": 10 * 0.5 * 2 * 8,
	} {
		sum := 0.0
		for _, c := range b.costs {
			if c.what == what {
				sum += b.usd(c)
			}
		}
		if sum != usd {
			t.Errorf("%s: %.2f, want %.2f", what, sum, usd)
		}
	}

	e.resources = append(e.resources, made("aws_kinesis_stream", nil),
		made("aws_cloudwatch_log_group", map[string]any{"name": "/aws/new/thing"}),
		made("aws_s3_bucket", map[string]any{"bucket": "small-replica"}),
		made("aws_db_instance", map[string]any{"instance_class": "db.large"}))
	p.Free["aws_s3_bucket"] = "not so"
	found := strings.Join(newBill(e, p).findings, "\n")
	for _, want := range []string{
		"aws_kinesis_stream has neither a meter", "usage of log group thing", "usage of bucket replica", "no price rds/db.large", "aws_s3_bucket has a meter and stands in prices.yaml as free",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("no finding %q in\n%s", want, found)
		}
	}
	e.root = "envs/large"
	if found := strings.Join(newBill(e, p).findings, "\n"); !strings.Contains(found, "no usage of large") {
		t.Errorf("an environment without usage: %s", found)
	}
}
