package main

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A listing is one question to the double, and what in its answer names a thing.
type listing struct {
	service, method, path string
	target                string // of services that are asked in JSON
	body                  string
	names                 *regexp.Regexp
}

func form(service, version, action, names string) listing {
	return listing{service, http.MethodPost, "/", "", "Action=" + action + "&Version=" + version, regexp.MustCompile(names)}
}

func call(service, target, body, names string) listing {
	return listing{service, http.MethodPost, "/", target, body, regexp.MustCompile(names)}
}

func get(service, path, names string) listing {
	return listing{service, http.MethodGet, path, "", "", regexp.MustCompile(names)}
}

func ec2(action, names string) listing { return form("ec2", "2016-11-15", action, names) }

// listings are all kinds of things that the double can list and the environments, or what
// works in them, could make.
var listings = map[string]listing{
	"addresses":               ec2("DescribeAddresses", `<allocationId>([^<]+)`),
	"flow logs":               ec2("DescribeFlowLogs", `<flowLogId>([^<]+)`),
	"instances":               ec2("DescribeInstances", `<instanceId>([^<]+)`),
	"internet gateways":       ec2("DescribeInternetGateways", `<internetGatewayId>([^<]+)`),
	"launch templates":        ec2("DescribeLaunchTemplates", `<launchTemplateId>([^<]+)`),
	"NAT gateways":            ec2("DescribeNatGateways&Filter.1.Name=state&Filter.1.Value.1=available", `<natGatewayId>([^<]+)`),
	"network interfaces":      ec2("DescribeNetworkInterfaces", `<networkInterfaceId>([^<]+)`),
	"route tables":            ec2("DescribeRouteTables", `<routeTableId>([^<]+)`),
	"security groups":         ec2("DescribeSecurityGroups", `<groupId>([^<]+)`),
	"security group rules":    ec2("DescribeSecurityGroupRules", `<securityGroupRuleId>([^<]+)`),
	"snapshots of volumes":    ec2("DescribeSnapshots", `<snapshotId>([^<]+)`),
	"subnets":                 ec2("DescribeSubnets", `<subnetId>([^<]+)`),
	"volumes":                 ec2("DescribeVolumes", `<volumeId>([^<]+)`),
	"VPC endpoints":           ec2("DescribeVpcEndpoints&Filter.1.Name=vpc-endpoint-state&Filter.1.Value.1=available", `<vpcEndpointId>([^<]+)`),
	"VPCs":                    ec2("DescribeVpcs", `<vpcId>([^<]+)`),
	"auto scaling groups":     form("autoscaling", "2011-01-01", "DescribeAutoScalingGroups", `<AutoScalingGroupName>([^<]+)`),
	"load balancers":          form("elasticloadbalancing", "2015-12-01", "DescribeLoadBalancers", `<LoadBalancerArn>([^<]+)`),
	"target groups":           form("elasticloadbalancing", "2015-12-01", "DescribeTargetGroups", `<TargetGroupArn>([^<]+)`),
	"databases":               form("rds", "2014-10-31", "DescribeDBInstances", `<DBInstanceIdentifier>([^<]+)`),
	"database events":         form("rds", "2014-10-31", "DescribeEventSubscriptions", `<CustSubscriptionId>([^<]+)`),
	"database parameters":     form("rds", "2014-10-31", "DescribeDBParameterGroups", `<DBParameterGroupName>([^<]+)`),
	"database snapshots":      form("rds", "2014-10-31", "DescribeDBSnapshots", `<DBSnapshotIdentifier>([^<]+)`),
	"database subnets":        form("rds", "2014-10-31", "DescribeDBSubnetGroups", `<DBSubnetGroupName>([^<]+)`),
	"OIDC providers":          form("iam", "2010-05-08", "ListOpenIDConnectProviders", `<Arn>([^<]+)`),
	"policies":                form("iam", "2010-05-08", "ListPolicies&Scope=Local", `<Arn>([^<]+)`),
	"roles":                   form("iam", "2010-05-08", "ListRoles", `<Arn>([^<]+)`),
	"subscriptions":           form("sns", "2010-03-31", "ListSubscriptions", `<SubscriptionArn>([^<]+)`),
	"topics":                  form("sns", "2010-03-31", "ListTopics", `<TopicArn>([^<]+)`),
	"queues":                  form("sqs", "2012-11-05", "ListQueues", `<QueueUrl>([^<]+)`),
	"alarms":                  form("monitoring", "2010-08-01", "DescribeAlarms", `<AlarmName>([^<]+)`),
	"dashboards":              form("monitoring", "2010-08-01", "ListDashboards", `<DashboardName>([^<]+)`),
	"keys":                    call("kms", "TrentService.ListKeys", `{}`, `"KeyId": ?"([^"]+)`),
	"names of keys":           call("kms", "TrentService.ListAliases", `{}`, `"AliasName": ?"([^"]+)`),
	"log groups":              call("logs", "Logs_20140328.DescribeLogGroups", `{}`, `"logGroupName": ?"([^"]+)`),
	"log policies":            call("logs", "Logs_20140328.DescribeResourcePolicies", `{}`, `"policyName": ?"([^"]+)`),
	"secrets":                 call("secretsmanager", "secretsmanager.ListSecrets", `{"IncludePlannedDeletion":true}`, `"ARN": ?"([^"]+)`),
	"repositories":            call("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", `{}`, `"repositoryName": ?"([^"]+)`),
	"web ACLs":                call("wafv2", "AWSWAF_20190729.ListWebACLs", `{"Scope":"REGIONAL"}`, `"Name": ?"([^"]+)`),
	"logs of web ACLs":        call("wafv2", "AWSWAF_20190729.ListLoggingConfigurations", `{"Scope":"REGIONAL"}`, `"ResourceArn": ?"([^"]+)`),
	"event rules":             call("events", "AWSEvents.ListRules", `{}`, `"Name": ?"([^"]+)`),
	"buckets":                 get("s3", "/", `<Name>([^<]+)`),
	"functions":               get("lambda", "/2015-03-31/functions/", `"FunctionName": ?"([^"]+)`),
	"schedules":               get("scheduler", "/schedules", `"Name": ?"([^"]+)`),
	"schedule groups":         get("scheduler", "/schedule-groups", `"Name": ?"([^"]+)`),
	"clusters":                get("eks", "/clusters?maxResults=100", `"(bourse-[^"]+)"`),
	"add-ons":                 get("eks", "/clusters/NAME/addons", `"([a-z-]+)"[],]`),
	"access entries":          get("eks", "/clusters/NAME/access-entries", `"(arn:[^"]+)"`),
	"pod identities":          get("eks", "/clusters/NAME/pod-identity-associations", `"associationId": ?"([^"]+)`),
	"backup vaults":           get("backup", "/backup-vaults/", `"BackupVaultName": ?"([^"]+)`),
	"backup plans":            get("backup", "/backup/plans/", `"BackupPlanName": ?"([^"]+)`),
	"records in the DNS zone": get("route53", "/2013-04-01/hostedzone/ZONE/rrset", `<Name>([^<]+)`),
}

// unseen are kinds that no apply makes here, each with why it is looked for nevertheless.
var unseen = map[string]string{
	"auto scaling groups":  "the double's node groups have none; those of AWS go with them",
	"event rules":          "AWS Backup and EKS make some",
	"instances":            "the double starts none",
	"snapshots of volumes": "nobody takes one here",
	"volumes":              "the double's nodes have none",
}

// holdings are the names of what there is, by region and kind.
func (d double) holdings(t *testing.T, name string) map[string][]string {
	t.Helper()
	held := map[string][]string{}
	for _, region := range regions {
		for kind, l := range listings {
			l.path = strings.NewReplacer("NAME", name, "ZONE", d.zone).Replace(l.path)
			held[region+" "+kind] = d.list(t, region, l)
		}
		held[region+" keys"] = slices.DeleteFunc(held[region+" keys"], func(id string) bool { return d.pending(t, region, id) })
		held[region+" network interfaces"] = d.withoutDeletedGateways(t, region, held[region+" network interfaces"])
	}
	return held
}

// pending says whether a key only waits for its deletion, which AWS makes take a week at least.
func (d double) pending(t *testing.T, region, key string) bool {
	t.Helper()
	describe := call("kms", "TrentService.DescribeKey", `{"KeyId":"`+key+`"}`, `"KeyState": ?"(PendingDeletion)"`)
	return len(d.list(t, region, describe)) > 0
}

// withoutDeletedGateways leaves out the interfaces of NAT gateways that are deleted: AWS
// deletes them too, the double keeps them.
func (d double) withoutDeletedGateways(t *testing.T, region string, interfaces []string) []string {
	t.Helper()
	kept := d.list(t, region, ec2("DescribeNatGateways&Filter.1.Name=state&Filter.1.Value.1=deleted", `<networkInterfaceId>([^<]+)`))
	return slices.DeleteFunc(interfaces, func(id string) bool { return slices.Contains(kept, id) })
}

// list asks the double, which learns service and region from the signature and does not
// verify it.
func (d double) list(t *testing.T, region string, l listing) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), l.method, d.address+l.path, strings.NewReader(l.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+region+"/"+l.service+"/aws4_request, SignedHeaders=host, Signature=0")
	switch {
	case l.target != "":
		request.Header.Set("Content-Type", "application/x-amz-json-1.1")
		request.Header.Set("X-Amz-Target", l.target)
	case l.method == http.MethodPost && l.path == "/":
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s%s of the double: %s, %v\n%s", l.service, l.target, l.body, response.Status, err, text)
	}
	var names []string
	for _, match := range l.names.FindAllStringSubmatch(string(text), -1) {
		names = append(names, match[1])
	}
	return names
}
