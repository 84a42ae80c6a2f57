package leftovers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorded answers as the AWS APIs do, from the files of testdata: one folder for a
// region and in it for a service, one file for an action, after an "@" what it is asked
// about, after a dot the page. What has no file is answered with an empty list.
type recorded struct {
	files  fs.FS
	served sync.Map // names of files
	denied string   // "service/Action"

	mu      sync.Mutex
	refused map[string][]string // codes to refuse an action with, one after the other
	asked   []string            // "service/Action" of everything that is no question
}

func newRecorded(t *testing.T, files fs.FS) *recorded {
	t.Helper()
	r := &recorded{files: files, refused: map[string][]string{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	useEndpoint(t, server.URL)
	return r
}

// useEndpoint points the SDK at a double, away from whatever the machine has.
func useEndpoint(t *testing.T, url string) {
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

var (
	scope    = regexp.MustCompile(`Credential=[^/]+/\d+/([^/]+)/([^/]+)/`)
	unsafe   = regexp.MustCompile(`[^A-Za-z0-9_.-]`)
	question = regexp.MustCompile(`^(Describe|List|Get)`)
)

func (r *recorded) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	m := scope.FindStringSubmatch(req.Header.Get("Authorization"))
	if m == nil {
		http.Error(w, "not signed", http.StatusForbidden)
		return
	}
	region, service := m[1], m[2]
	action, about, token, isJSON := call(service, req)
	r.mu.Lock()
	if !question.MatchString(action) {
		r.asked = append(r.asked, service+"/"+action)
	}
	var refusal string
	if codes := r.refused[service+"/"+action]; len(codes) > 0 {
		refusal, r.refused[service+"/"+action] = codes[0], codes[1:]
	}
	r.mu.Unlock()
	switch {
	case refusal != "":
		fail(w, isJSON, http.StatusBadRequest, refusal, "not now")
		return
	case r.denied == service+"/"+action:
		fail(w, isJSON, http.StatusForbidden, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: "+service+":"+action)
		return
	}
	for _, name := range []string{action + about, action} {
		if token != "" {
			name += "." + token
		}
		for _, ending := range []string{".json", ".xml"} {
			file := path.Join(region, service, name+ending)
			if body, err := fs.ReadFile(r.files, file); err == nil {
				r.served.Store(file, true)
				_, _ = w.Write(body)
				return
			}
		}
	}
	switch {
	case action == "DescribeCluster":
		fail(w, true, http.StatusNotFound, "ResourceNotFoundException", "No cluster found for name: bourse-dev.")
	case action == "DescribeKey":
		fail(w, true, http.StatusBadRequest, "NotFoundException", "Invalid keyId")
	case action == "GetObjectLockConfiguration":
		fail(w, false, http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	case isJSON:
		_, _ = io.WriteString(w, "{}")
	default:
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult/></%[1]sResponse>", action)
	}
}

// call reads a request in the protocol of its service.
func call(service string, req *http.Request) (action, about, token string, isJSON bool) {
	body, _ := io.ReadAll(req.Body)
	clean := func(what string) string {
		return "@" + unsafe.ReplaceAllString(strings.ReplaceAll(what, "/", "_"), "_")
	}
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		_, action, _ = strings.Cut(target, ".")
		var in struct {
			LogGroupNamePrefix, NextToken, PaginationToken, KeyID string
			ResourceTypeFilters                                   []string
			TagFilters                                            []struct{ Key string }
		}
		_ = json.Unmarshal(body, &in) // it matches names in any case
		switch {
		case in.LogGroupNamePrefix != "":
			about = clean(in.LogGroupNamePrefix)
		case in.KeyID != "":
			about = clean(path.Base(in.KeyID))
		case len(in.TagFilters) > 0:
			for _, kind := range in.ResourceTypeFilters {
				about += clean(kind)
			}
			about += clean(in.TagFilters[0].Key)
		}
		return action, about, in.NextToken + in.PaginationToken, true
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		return form.Get("Action"), "", form.Get("NextToken") + form.Get("Marker"), false
	}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	switch query := req.URL.Query(); {
	case service == "eks":
		return "DescribeCluster", "", "", true
	case service == "backup" && len(parts) == 1:
		return "ListBackupVaults", "", query.Get("nextToken"), true
	case service == "backup":
		return "ListRecoveryPoints", "@" + parts[1], query.Get("nextToken"), true
	case query.Has("object-lock"):
		return "GetObjectLockConfiguration", "@" + parts[0], "", false
	default:
		return "ListBuckets", "", query.Get("continuation-token"), false
	}
}

func fail(w http.ResponseWriter, isJSON bool, status int, code, message string) {
	if isJSON {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type": %q, "message": %q}`, code, message)
		return
	}
	w.WriteHeader(status)
	// EC2 and S3, and the services of the query protocol, wrap it differently.
	fmt.Fprintf(w, "<Response><Errors><Error><Code>%[1]s</Code><Message>%[2]s</Message></Error></Errors>"+
		"<Error><Code>%[1]s</Code><Message>%[2]s</Message></Error><Code>%[1]s</Code><Message>%[2]s</Message></Response>", code, message)
}

func lookAt(t *testing.T, regions ...string) (*Account, Report) {
	t.Helper()
	account, err := Open(t.Context(), Config{Name: "bourse-dev", Regions: regions})
	if err != nil {
		t.Fatal(err)
	}
	account.pause = time.Millisecond
	report, err := account.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return account, report
}

func lines(report Report) []string {
	var list []string
	for _, f := range report.Findings {
		since := "-"
		if !f.Since.IsZero() {
			since = f.Since.UTC().Format(time.DateOnly)
		}
		named := ""
		if f.remove == nil {
			named = " (named only)"
		}
		list = append(list, fmt.Sprintf("%s %s %s %s | %s | %s | %s%s", f.State, f.Region, f.Kind, f.ID, since, f.Cost, f.Why, named))
	}
	return list
}

const (
	home   = "eu-west-1"
	second = "eu-central-1"
)

// TestRecorded: everything of bourse-dev is found, page by page, and nothing of
// bourse-prod, of bourse-dev2 or of another project's dev.
func TestRecorded(t *testing.T) {
	files := os.DirFS("testdata")
	server := newRecorded(t, files)
	_, report := lookAt(t, home, second)
	for _, u := range report.Unseen {
		t.Errorf("could not look at %s in %s: %v", u.Kind, u.Region, u.Err)
	}
	want := []string{
		"left eu-west-1 load balancer k8s-bourse-web-5a6b7c8d9e | 2026-11-20 | by the hour | elbv2.k8s.aws/cluster=bourse-dev, Service bourse/bourse-web",
		"left eu-west-1 target group k8s-bourse-web-1f2e3d4c5b | - |  | elbv2.k8s.aws/cluster=bourse-dev, Service bourse/bourse-web",
		"left eu-west-1 auto scaling group eks-bourse-dev-a-2026-8cc6e4b1 | 2026-11-20 | by its instances | k8s.io/cluster-autoscaler/bourse-dev=owned",
		"left eu-west-1 instance i-0123456789abcdef0 | 2026-11-20 | by the hour | eks:cluster-name=bourse-dev, node group bourse-dev-a-2026, t4g.medium",
		"left eu-west-1 launch template lt-0a20c965061f64abc | 2026-11-20 |  | eks:cluster-name=bourse-dev, node group bourse-dev-a-2026, eks-8cc6e4b1-7c2f-4c8b-9a41-2a1d0e4b7f55",
		"left eu-west-1 network interface eni-0a1b2c3d4e5f60001 | - |  | cluster.k8s.amazonaws.com/name=bourse-dev, aws-K8S-i-0123456789abcdef0, available",
		"left eu-west-1 network interface eni-0a1b2c3d4e5f60003 | - |  | function bourse-dev-ingest, AWS Lambda VPC ENI-bourse-dev-ingest-7f3c6f0e-2a56-4c0a-9f6e-0d5b8c1f2a3b, in-use (named only)",
		"left eu-west-1 network interface eni-0a1b2c3d4e5f60005 | - |  | control plane, Amazon EKS bourse-dev, available",
		"left eu-west-1 security group sg-0d5e6f7a8b9c00002 | - |  | elbv2.k8s.aws/cluster=bourse-dev, k8s-traffic-boursedev-9f1b0c2d3e",
		"left eu-west-1 security group sg-0d5e6f7a8b9c00003 | - |  | elbv2.k8s.aws/cluster=bourse-dev, Service bourse/bourse-web, k8s-bourse-web-5a6b7c8d9e",
		"left eu-west-1 security group sg-0d5e6f7a8b9c00004 | - |  | project=bourse environment=dev, bourse-dev-database (named only)",
		"left eu-west-1 log group /aws/eks/bourse-dev/cluster | 2026-11-21 | 1.5 MiB | its name",
		"left eu-west-1 log group /aws/eks/bourse-dev/audit | 2026-11-21 | 0.0 MiB | its name",
		"left eu-west-1 log group /aws/lambda/bourse-dev-ingest | 2026-11-21 | 0.0 MiB | its name",
		"left eu-west-1 volume vol-049df61146c4d7901 | 2026-11-20 | 8 GiB | kubernetes.io/cluster/bourse-dev=owned, claim bourse/data, available (named only)",
		"left eu-west-1 volume snapshot snap-1234567890abcdef0 | 2026-11-21 | up to 8 GiB | kubernetes.io/cluster/bourse-dev=owned, of vol-049df61146c4d7901 (named only)",
		"kept eu-west-1 database snapshot bourse-dev-final-1a2b3c4d | 2026-11-21 | up to 20 GiB | the final snapshot (named only)",
		"left eu-west-1 database snapshot before-the-upgrade | 2026-11-01 | up to 20 GiB | of the database, manual (named only)",
		"left eu-west-1 database snapshot rds:bourse-dev-2026-11-20-03-07 | 2026-11-20 | up to 20 GiB | of the database, automated (named only)",
		"left eu-west-1 automated backup db-2YHDRCYFGTKDEVQ7ZK4EXAMPLE | 2026-11-20 | up to 20 GiB | of the database, retained (named only)",
		"left eu-west-1 backup vault bourse-dev | 2026-11-20 | up to 20481.0 MiB | 2 recovery points, the newest of 2026-11-21 (named only)",
		"left eu-west-1 bucket bourse-dev-alb-logs-123456789012 | 2026-11-20 | by what is in it | its name (named only)",
		"kept eu-west-1 bucket bourse-dev-archive-123456789012 | 2026-11-20 | by what is in it | its objects are locked (named only)",
		"left eu-west-1 bucket bourse-dev-archive-123456789012-replica | 2026-11-20 | by what is in it | its name (named only)",
		"kept eu-west-1 bucket bourse-state-123456789012 | 2026-10-01 | by what is in it | the state of Terraform (named only)",
		"going eu-west-1 secret bourse-dev/alphavantage-key | 2026-11-20 |  | deletion is scheduled (named only)",
		"left eu-west-1 secret rds!db-5a6b7c8d-1a2b-3c4d-5e6f-a1b2c3d4e5f6 | 2026-11-20 | by the month | master secret of the database (named only)",
		"going eu-west-1 key 1a2b3c4d-12ab-34cd-56ef-1234567890ab | 2026-11-20 |  | project=bourse environment=dev, bourse-dev: database, its snapshots, master secret and Performance Insights, deletion on 2026-12-21 (named only)",
		"left eu-west-1 key 2a2b3c4d-12ab-34cd-56ef-1234567890ab | 2026-11-20 | by the month | project=bourse environment=dev, Logs of bourse-dev (named only)",
		"left eu-west-1 tagged resource arn:aws:ec2:eu-west-1:123456789012:natgateway/nat-0a1b2c3d4e5f67890 | - |  | project=bourse environment=dev (named only)",
		"left eu-west-1 tagged resource arn:aws:sqs:eu-west-1:123456789012:bourse-dev-ingest-dead-letters | - |  | project=bourse environment=dev (named only)",
		"left eu-west-1 tagged resource arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/a7f3c6f0e2a564c0a9f6e0d5b8c1f2a3 | - |  | kubernetes.io/cluster/bourse-dev=owned, Service bourse/trial (named only)",
		"kept eu-central-1 backup vault bourse-dev-copy | 2026-11-20 | up to 20480.0 MiB | copies, 1 recovery points, the newest of 2026-11-21 (named only)",
	}
	got := lines(report)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("lacks %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("has   %s", line)
		}
	}
	if len(server.asked) > 0 {
		t.Errorf("looking changed something: %v", server.asked)
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if _, ok := server.served.Load(name); err == nil && !d.IsDir() && !ok {
			t.Errorf("nothing asked for %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRecordedDelete deletes in an order that works what holds no data, and only that.
func TestRecordedDelete(t *testing.T) {
	server := newRecorded(t, os.DirFS("testdata"))
	server.refused["logs/DeleteLogGroup"] = []string{"ThrottlingException"} // the SDK tries again
	server.refused["ec2/DeleteSecurityGroup"] = []string{"DependencyViolation", "DependencyViolation"}
	server.refused["autoscaling/DeleteAutoScalingGroup"] = []string{"ValidationError"} // of another reason than that it is gone
	account, report := lookAt(t, home, second)
	done, err := account.Delete(t.Context(), report)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if (d.Err != nil) != (d.Kind == "auto scaling group") {
			t.Errorf("%s %s: %v", d.Kind, d.ID, d.Err)
		}
	}
	want := []string{
		"elasticloadbalancing/DeleteLoadBalancer", "elasticloadbalancing/DeleteTargetGroup", "autoscaling/DeleteAutoScalingGroup",
		"ec2/TerminateInstances", "ec2/DeleteLaunchTemplate", "ec2/DeleteNetworkInterface", "ec2/DeleteNetworkInterface",
		"ec2/DeleteSecurityGroup", "ec2/RevokeSecurityGroupIngress", "ec2/DeleteSecurityGroup",
		"logs/DeleteLogGroup", "logs/DeleteLogGroup", "logs/DeleteLogGroup", "logs/DeleteLogGroup",
		"ec2/DeleteSecurityGroup", "ec2/RevokeSecurityGroupIngress", "ec2/DeleteSecurityGroup", // what held them is gone by now
	}
	if !slices.Equal(server.asked, want) {
		t.Errorf("asked for\n%v, want\n%v", server.asked, want)
	}
}

// TestDeleteGivesUp: what is held for ever is told, with why.
func TestDeleteGivesUp(t *testing.T) {
	server := newRecorded(t, os.DirFS("testdata"))
	server.refused["ec2/DeleteSecurityGroup"] = slices.Repeat([]string{"DependencyViolation"}, 100_000)
	account, report := lookAt(t, home)
	account.patience = 200 * time.Millisecond
	done, err := account.Delete(t.Context(), report)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, d := range done {
		if d.Kind == "security group" && d.Err != nil {
			held++
		}
	}
	if held != 2 {
		t.Errorf("%d are told: %v", held, done)
	}
}

// TestClean: an account without anything is clean.
func TestClean(t *testing.T) {
	newRecorded(t, os.DirFS(t.TempDir()))
	if _, report := lookAt(t, home, second); len(report.Findings)+len(report.Unseen) > 0 {
		t.Errorf("%v %v", lines(report), report.Unseen)
	}
}

// TestDenied: a kind that may not be looked at is named, whichever it is, and what else
// there is with it.
func TestDenied(t *testing.T) {
	for _, c := range []struct{ action, kind string }{
		{"eks/DescribeCluster", "cluster"},
		{"rds/DescribeDBInstances", "database"},
		{"elasticloadbalancing/DescribeLoadBalancers", "load balancer"},
		{"elasticloadbalancing/DescribeTags", "load balancer"},
		{"elasticloadbalancing/DescribeTargetGroups", "target group"},
		{"autoscaling/DescribeAutoScalingGroups", "auto scaling group"},
		{"ec2/DescribeInstances", "instance"},
		{"ec2/DescribeLaunchTemplates", "launch template"},
		{"ec2/DescribeNetworkInterfaces", "network interface"},
		{"ec2/DescribeSecurityGroups", "security group"},
		{"logs/DescribeLogGroups", "log group"},
		{"ec2/DescribeVolumes", "volume"},
		{"ec2/DescribeSnapshots", "volume snapshot"},
		{"rds/DescribeDBSnapshots", "database snapshot"},
		{"rds/DescribeDBInstanceAutomatedBackups", "automated backup"},
		{"backup/ListBackupVaults", "backup vault"},
		{"backup/ListRecoveryPoints", "backup vault"},
		{"s3/ListBuckets", "bucket"},
		{"s3/GetObjectLockConfiguration", "bucket"},
		{"secretsmanager/ListSecrets", "secret"},
		{"tagging/GetResources", "key"},
		{"kms/DescribeKey", "key"},
		{"tagging/GetResources", "tagged resource"},
	} {
		server := newRecorded(t, os.DirFS("testdata"))
		server.denied = c.action
		_, report := lookAt(t, home)
		if !slices.ContainsFunc(report.Unseen, func(u Unseen) bool {
			return u.Kind == c.kind && strings.Contains(u.Err.Error(), "AccessDeniedException")
		}) {
			t.Errorf("%s: %v", c.action, report.Unseen)
		}
		if len(report.Findings) < 10 {
			t.Errorf("%s: the others are not looked at: %v", c.action, lines(report))
		}
	}
}

// TestDeleteWaitsForDestroy: while cluster or database is there, or was not looked at,
// what a report names may be in use.
func TestDeleteWaitsForDestroy(t *testing.T) {
	for _, r := range []Report{
		{Findings: []Finding{{State: Left, Kind: "cluster", ID: "bourse-dev"}}},
		{Findings: []Finding{{State: Left, Kind: "database", ID: "bourse-dev"}}},
		{Unseen: []Unseen{{Kind: "cluster", Err: errors.New("no")}}},
		{Unseen: []Unseen{{Kind: "database", Err: errors.New("no")}}},
	} {
		if done, err := (&Account{}).Delete(t.Context(), r); err == nil {
			t.Errorf("%v: deleted %v", r, done)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []Config{
		{Name: "", Regions: []string{home}}, {Name: "b", Regions: []string{home}}, {Name: "Bourse", Regions: []string{home}},
		{Name: "bourse-", Regions: []string{home}}, {Name: "bourse*", Regions: []string{home}}, {Name: "bourse-dev", Regions: []string{"europe"}},
		{Name: "bourse-dev", Regions: []string{home, ""}},
	} {
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if err := (Config{Name: "bourse-dev", Regions: []string{home, "us-gov-west-1"}}).Check(); err != nil {
		t.Error(err)
	}
}
