package leftovers

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// double starts a double of AWS that keeps what it is told.
func double(t *testing.T) aws.Config {
	t.Helper()
	dir := os.Getenv("BOURSE_TEST_AWS")
	if dir == "" {
		t.Skip("BOURSE_TEST_AWS is not set: there is no double of AWS for this test")
	}
	server := exec.CommandContext(t.Context(), "python3", filepath.Join(dir, "server.py"), "--port", "0")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the context of the test kills it
	line, err := bufio.NewReader(out).ReadString('\n')
	address := regexp.MustCompile(`http://\S+`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("the double of AWS says %q: %v", line, err)
	}
	useEndpoint(t, address)
	account, err := Open(t.Context(), Config{Name: "bourse-dev", Regions: []string{home}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := account.aws.Copy()
	cfg.Region = home
	return cfg
}

// maker makes what an environment leaves behind.
type maker struct {
	t      *testing.T
	ctx    context.Context
	cfg    aws.Config
	name   string
	subnet string
	vpc    string
}

// do fails the test where AWS refuses what the test makes.
func do[In, Out, Options any](m *maker, call func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) *Out {
	m.t.Helper()
	out, err := call(m.ctx, in)
	if err != nil {
		m.t.Fatalf("%s: %v", m.name, err)
	}
	return out
}

// ask is do for the services that are asked by forms.
func (m *maker) ask(q query, action string, parameters url.Values, out any) {
	m.t.Helper()
	if err := q.call(m.ctx, action, parameters, out); err != nil {
		m.t.Fatalf("%s: %v", m.name, err)
	}
}

func (m *maker) region() region { return region{owner: owner{m.name}, name: home, aws: m.cfg} }

// tagged adds the tag of a new resource to the parameters it is made with.
func tagged(kind, key, value string, parameters url.Values) url.Values {
	parameters.Set("TagSpecification.1.ResourceType", kind)
	parameters.Set("TagSpecification.1.Tag.1.Key", key)
	parameters.Set("TagSpecification.1.Tag.1.Value", value)
	return parameters
}

func (m *maker) all() {
	m.network()
	m.compute()
	m.balancers()
	m.logs()
	m.data()
	m.keysAndSecrets()
}

// network makes two security groups of the controller whose rules name each other, which
// no order alone can delete, and interfaces.
func (m *maker) network() {
	client := m.region().ec2()
	var made struct {
		VPC    string `xml:"vpc>vpcId"`
		Subnet string `xml:"subnet>subnetId"`
		Group  string `xml:"groupId"`
	}
	m.ask(client, "CreateVpc", url.Values{"CidrBlock": {"10.20.0.0/16"}}, &made)
	m.vpc = made.VPC
	m.ask(client, "CreateSubnet", url.Values{"VpcId": {m.vpc}, "CidrBlock": {"10.20.1.0/24"}}, &made)
	m.subnet = made.Subnet
	var groups []string
	for _, end := range []string{"one", "two"} {
		m.ask(client, "CreateSecurityGroup", tagged("security-group", "elbv2.k8s.aws/cluster", m.name, url.Values{
			"GroupName": {"k8s-" + m.name + "-" + end}, "GroupDescription": {"[k8s] " + end}, "VpcId": {m.vpc},
		}), &made)
		groups = append(groups, made.Group)
	}
	for i, group := range groups {
		m.ask(client, "AuthorizeSecurityGroupIngress", url.Values{
			"GroupId": {group}, "IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {"80"}, "IpPermissions.1.ToPort": {"80"},
			"IpPermissions.1.Groups.1.GroupId": {groups[1-i]},
		}, nil)
	}
	m.ask(client, "CreateNetworkInterface", tagged("network-interface", "cluster.k8s.amazonaws.com/name", m.name, url.Values{
		"SubnetId": {m.subnet}, "Description": {"aws-K8S-i-0123456789abcdef0"}, "SecurityGroupId.1": {groups[0]}, "SecurityGroupId.2": {groups[1]},
	}), nil)
	m.ask(client, "CreateNetworkInterface", url.Values{
		"SubnetId": {m.subnet}, "Description": {"AWS Lambda VPC ENI-" + m.name + "-ingest-7f3c6f0e-2a56-4c0a-9f6e-0d5b8c1f2a3b"},
	}, nil)
}

func (m *maker) compute() {
	client := m.region().ec2()
	cluster := "kubernetes.io/cluster/" + m.name
	m.ask(client, "RunInstances", tagged("instance", "eks:cluster-name", m.name, url.Values{
		"ImageId": {"ami-12c6146b"}, "MinCount": {"1"}, "MaxCount": {"1"}, "SubnetId": {m.subnet},
	}), nil)
	var made struct {
		Template string `xml:"launchTemplate>launchTemplateId"`
		Volume   string `xml:"volumeId"`
	}
	m.ask(client, "CreateLaunchTemplate", tagged("launch-template", "eks:cluster-name", m.name, url.Values{
		"LaunchTemplateName": {"eks-" + m.name}, "LaunchTemplateData.ImageId": {"ami-12c6146b"}, "LaunchTemplateData.InstanceType": {"t4g.medium"},
	}), &made)
	do(m, autoscaling.NewFromConfig(m.cfg).CreateAutoScalingGroup, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("eks-" + m.name), MinSize: aws.Int32(1), MaxSize: aws.Int32(1), VPCZoneIdentifier: &m.subnet,
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: &made.Template},
		Tags:           []asgtypes.Tag{{Key: aws.String("k8s.io/cluster-autoscaler/" + m.name), Value: aws.String("owned"), PropagateAtLaunch: aws.Bool(true)}},
	})
	m.ask(client, "CreateVolume", tagged("volume", cluster, "owned", url.Values{"AvailabilityZone": {home + "a"}, "Size": {"8"}}), &made)
	m.ask(client, "CreateSnapshot", tagged("snapshot", cluster, "owned", url.Values{"VolumeId": {made.Volume}}), nil)
}

func (m *maker) balancers() {
	client := elb.NewFromConfig(m.cfg)
	owned := []elbtypes.Tag{{Key: aws.String("elbv2.k8s.aws/cluster"), Value: &m.name}, {Key: aws.String("service.k8s.aws/stack"), Value: aws.String("bourse/web")}}
	balancer := do(m, client.CreateLoadBalancer, &elb.CreateLoadBalancerInput{
		Name: aws.String("k8s-" + m.name), Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: []string{m.subnet}, Tags: owned,
	})
	group := do(m, client.CreateTargetGroup, &elb.CreateTargetGroupInput{
		Name: aws.String("k8s-" + m.name), Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(80), VpcId: &m.vpc, Tags: owned,
	})
	do(m, client.CreateListener, &elb.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumTcp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group.TargetGroups[0].TargetGroupArn}},
	})
}

func (m *maker) logs() {
	client := cloudwatchlogs.NewFromConfig(m.cfg)
	for _, name := range []string{
		"/aws/eks/%s/cluster", "/aws/containerinsights/%s/application", "/aws/containerinsights/%s/performance", "/aws/lambda/%s-ingest",
		"/aws/rds/instance/%s/postgresql", "/aws/vpc/%s/flow", "aws-waf-logs-%s",
	} {
		do(m, client.CreateLogGroup, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(fmt.Sprintf(name, m.name))})
	}
}

// data makes what is never deleted. The database itself is deleted, as by a destroy.
func (m *maker) data() {
	client := m.region().rds()
	m.ask(client, "CreateDBInstance", url.Values{
		"DBInstanceIdentifier": {m.name}, "DBInstanceClass": {"db.t4g.micro"}, "Engine": {"postgres"}, "AllocatedStorage": {"20"},
		"MasterUsername": {"bourse_admin"}, "MasterUserPassword": {"of-no-use-to-anyone"},
	}, nil)
	m.ask(client, "CreateDBSnapshot", url.Values{"DBInstanceIdentifier": {m.name}, "DBSnapshotIdentifier": {"by-hand-" + m.name}}, nil)
	m.ask(client, "DeleteDBInstance", url.Values{"DBInstanceIdentifier": {m.name}, "FinalDBSnapshotIdentifier": {m.name + "-final-1a2b3c4d"}}, nil)
	buckets := s3.NewFromConfig(m.cfg)
	for what, locked := range map[string]bool{"archive": true, "alb-logs": false} {
		name := m.name + "-" + what + "-123456789012"
		do(m, buckets.CreateBucket, &s3.CreateBucketInput{
			Bucket: &name, ObjectLockEnabledForBucket: &locked,
			CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: home},
		})
		if locked {
			do(m, buckets.PutObjectLockConfiguration, &s3.PutObjectLockConfigurationInput{Bucket: &name, ObjectLockConfiguration: &s3types.ObjectLockConfiguration{
				ObjectLockEnabled: s3types.ObjectLockEnabledEnabled,
				Rule:              &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{Mode: s3types.ObjectLockRetentionModeGovernance, Days: aws.Int32(30)}},
			}})
		}
	}
	do(m, backup.NewFromConfig(m.cfg).CreateBackupVault, &backup.CreateBackupVaultInput{BackupVaultName: &m.name})
}

func (m *maker) keysAndSecrets() {
	environment := strings.TrimPrefix(m.name, "bourse-")
	secrets := secretsmanager.NewFromConfig(m.cfg)
	for _, name := range []string{"there", "going"} {
		made := do(m, secrets.CreateSecret, &secretsmanager.CreateSecretInput{
			Name: aws.String(m.name + "/" + name), SecretString: aws.String("of no use"),
			Tags: []secrettypes.Tag{{Key: aws.String("project"), Value: aws.String("bourse")}, {Key: aws.String("environment"), Value: &environment}},
		})
		if name == "going" {
			do(m, secrets.DeleteSecret, &secretsmanager.DeleteSecretInput{SecretId: made.ARN})
		}
	}
	keys := kms.NewFromConfig(m.cfg)
	for _, going := range []bool{false, true} {
		key := do(m, keys.CreateKey, &kms.CreateKeyInput{Tags: []kmstypes.Tag{
			{TagKey: aws.String("project"), TagValue: aws.String("bourse")}, {TagKey: aws.String("environment"), TagValue: &environment},
		}})
		if going {
			do(m, keys.ScheduleKeyDeletion, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(7)})
		}
	}
}

// kindsOf counts the findings by state and kind.
func kindsOf(report Report) map[string]int {
	n := map[string]int{}
	for _, f := range report.Findings {
		n[string(f.State)+" "+f.Kind]++
	}
	return n
}

// look looks at an environment of the double. It has no recovery points, and says so of
// each vault.
func (m *maker) look() (*Account, Report) {
	m.t.Helper()
	account, err := Open(m.ctx, Config{Name: m.name, Regions: []string{home}})
	if err != nil {
		m.t.Fatal(err)
	}
	account.pause = 0
	report, err := account.Find(m.ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, u := range report.Unseen {
		if u.Kind != "backup vault" {
			m.t.Errorf("%s: could not look at %s: %v", m.name, u.Kind, u.Err)
		}
	}
	return account, report
}

// TestLife: an account is clean; three environments whose names begin alike leave the
// same things behind; each kind of one is found, what holds no data is deleted, and the
// others' things are as they were.
func TestLife(t *testing.T) {
	cfg := double(t)
	environments := map[string]*maker{}
	for _, name := range []string{"bourse-dev", "bourse-dev2", "bourse-prod"} {
		environments[name] = &maker{t: t, ctx: t.Context(), cfg: cfg, name: name}
	}
	dev := environments["bourse-dev"]
	if _, report := dev.look(); len(report.Findings)+len(report.Unseen) > 0 {
		t.Errorf("a clean account has %v, %v", lines(report), report.Unseen)
	}
	for _, m := range environments {
		m.all()
	}
	want := map[string]int{
		"left load balancer": 1, "left target group": 1, "left auto scaling group": 1, "left instance": 2, "left launch template": 1,
		"left network interface": 2, "left security group": 2, "left log group": 7, "left volume": 1, "left volume snapshot": 1,
		"left database snapshot": 1, "kept database snapshot": 1, "left backup vault": 1, "left bucket": 1, "kept bucket": 1,
		"left secret": 1, "going secret": 1, "left key": 1, "going key": 1,
	}
	before := map[string]Report{}
	for name, m := range environments {
		_, report := m.look()
		before[name] = report
		if got := kindsOf(report); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}

	dev.refuses()
	account, report := dev.look()
	done, err := account.Delete(t.Context(), report)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if d.Err != nil {
			t.Errorf("%s %s: %v", d.Kind, d.ID, d.Err)
		}
	}
	_, report = dev.look()
	rest := map[string]int{}
	for kind, n := range want {
		if _, name, _ := strings.Cut(kind, " "); slices.Contains(Named(), name) {
			rest[kind] = n
		}
	}
	if got := kindsOf(report); fmt.Sprint(got) != fmt.Sprint(rest) {
		t.Errorf("after the deletion there are %v, want %v", got, rest)
	}
	for _, name := range []string{"bourse-dev2", "bourse-prod"} {
		if _, after := environments[name].look(); !slices.Equal(lines(after), lines(before[name])) {
			t.Errorf("%s was touched: %v, before %v", name, lines(after), lines(before[name]))
		}
	}
}

// refuses makes sure that nothing is deleted beside a living cluster.
func (m *maker) refuses() {
	m.t.Helper()
	client := eks.NewFromConfig(m.cfg)
	do(m, client.CreateCluster, &eks.CreateClusterInput{
		Name: &m.name, RoleArn: aws.String("arn:aws:iam::123456789012:role/" + m.name), ResourcesVpcConfig: &ekstypes.VpcConfigRequest{SubnetIds: []string{m.subnet}},
	})
	account, report := m.look()
	if done, err := account.Delete(m.ctx, report); err == nil || !strings.Contains(err.Error(), "terraform destroy comes first") {
		m.t.Errorf("beside a living cluster: deleted %v, %v", done, err)
	}
	do(m, client.DeleteCluster, &eks.DeleteClusterInput{Name: &m.name})
}
