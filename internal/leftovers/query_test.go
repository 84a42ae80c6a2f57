package leftovers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

var someone = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "of-no-use", SessionToken: "a session"}

// service answers every request by a function, and keeps them.
type service struct {
	answer func(n int) (status int, body string) // n counts from 1; status 0: the connection breaks
	asked  []*http.Request
	bodies []string
}

func (s *service) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.asked, s.bodies = append(s.asked, req), append(s.bodies, string(body))
	status, answer := s.answer(len(s.asked))
	if status == 0 {
		return nil, errors.New("connection reset by peer")
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(answer))}, nil
}

func (s *service) region() region {
	return region{owner: owner{"bourse-dev"}, name: home, aws: aws.Config{
		Region: home, HTTPClient: s, RetryMaxAttempts: 6,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return someone, nil }),
	}}
}

func always(status int, body string) func(int) (int, string) {
	return func(int) (int, string) { return status, body }
}

const noVolumes = `<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>`

// TestQuerySigned: a request goes to the region's host, or to the endpoint that is
// configured, with a signature of just what was sent.
func TestQuerySigned(t *testing.T) {
	for _, c := range []struct{ endpoint, want string }{
		{"", "https://ec2.eu-west-1.amazonaws.com/"},
		{"http://127.0.0.1:4566", "http://127.0.0.1:4566/"},
	} {
		s := &service{answer: always(http.StatusOK, noVolumes)}
		r := s.region()
		if c.endpoint != "" {
			r.aws.BaseEndpoint = &c.endpoint
		}
		if err := r.ec2().call(t.Context(), "DescribeVolumes", url.Values{"VolumeId.1": {"vol-1 & more"}}, nil); err != nil {
			t.Fatal(err)
		}
		sent, body := s.asked[0], s.bodies[0]
		if got := sent.URL.String(); got != c.want || sent.Method != http.MethodPost {
			t.Errorf("%s %s, want %s", sent.Method, got, c.want)
		}
		if want := "Action=DescribeVolumes&Version=2016-11-15&VolumeId.1=vol-1+%26+more"; body != want {
			t.Errorf("body %s, want %s", body, want)
		}
		at, err := time.Parse("20060102T150405Z", sent.Header.Get("X-Amz-Date"))
		if err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("signed at %v: %v", at, err)
		}
		again, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.want, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		again.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		hash := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(t.Context(), someone, again, hex.EncodeToString(hash[:]), "ec2", home, at); err != nil {
			t.Fatal(err)
		}
		for _, header := range []string{"Authorization", "X-Amz-Security-Token"} {
			if got, want := sent.Header.Get(header), again.Header.Get(header); got != want || want == "" {
				t.Errorf("%s: %s, want %s", header, got, want)
			}
		}
	}
}

// TestQueryPages: each page is asked for with the token of the one before, and with the
// parameters of the first.
func TestQueryPages(t *testing.T) {
	s := &service{answer: func(n int) (int, string) {
		return http.StatusOK, [...]string{
			`<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId></item></snapshotSet><nextToken>two</nextToken></DescribeSnapshotsResponse>`,
			`<DescribeSnapshotsResponse><snapshotSet/><nextToken>three</nextToken></DescribeSnapshotsResponse>`,
			`<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-3</snapshotId></item></snapshotSet></DescribeSnapshotsResponse>`,
		}[n-1]
	}}
	parameters := url.Values{"Owner.1": {"self"}}
	var ids []string
	for page, err := range answers[volumeSnapshots](t.Context(), s.region().ec2(), "DescribeSnapshots", parameters) {
		if err != nil {
			t.Fatal(err)
		}
		for _, snapshot := range page.Snapshots {
			ids = append(ids, snapshot.ID)
		}
	}
	if got := strings.Join(ids, " "); got != "snap-1 snap-3" {
		t.Errorf("found %s", got)
	}
	const first = "Action=DescribeSnapshots&Owner.1=self&Version=2016-11-15"
	want := []string{
		first, "Action=DescribeSnapshots&NextToken=two&Owner.1=self&Version=2016-11-15", "Action=DescribeSnapshots&NextToken=three&Owner.1=self&Version=2016-11-15",
	}
	if got := strings.Join(s.bodies, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked\n%s", got)
	}
	if len(parameters) != 1 {
		t.Errorf("the caller's parameters became %v", parameters)
	}
}

// TestQueryRefused: what the services answer instead is an error with their code, and
// never an empty list.
func TestQueryRefused(t *testing.T) {
	for _, c := range []struct {
		name, body, code, message string
		status                    int
	}{
		{"EC2", `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>DependencyViolation</Code><Message>in use</Message></Error></Errors><RequestID>1</RequestID></Response>`,
			"DependencyViolation", "in use", 400},
		{"RDS", `<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not allowed</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
			"AccessDenied", "not allowed", 403},
		{"a proxy", `<html><body>Forbidden`, "UnknownError", "Forbidden", 403},
	} {
		s := &service{answer: always(c.status, c.body)}
		found, err := s.region().volumes(t.Context())
		var answer smithy.APIError
		if !errors.As(err, &answer) || answer.ErrorCode() != c.code || answer.ErrorMessage() != c.message || len(found) > 0 {
			t.Errorf("%s: %v, %v", c.name, found, err)
		}
		if len(s.asked) != 1 {
			t.Errorf("%s: asked %d times", c.name, len(s.asked))
		}
	}
	for _, body := range []string{
		"", "<html><body>Log in to the network</body></html>", noVolumes[:len(noVolumes)-9],
		`<DescribeSnapshotsResponse><snapshotSet/></DescribeSnapshotsResponse>`,
	} {
		s := &service{answer: always(http.StatusOK, body)}
		if found, err := s.region().volumes(t.Context()); err == nil {
			t.Errorf("%q is taken for %v", body, found)
		}
	}
}

// TestQueryAgain: what may pass is tried again, six times in all, and not after the end.
func TestQueryAgain(t *testing.T) {
	const throttled = `<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>`
	for _, c := range []struct {
		name   string
		answer func(int) (int, string)
		asked  int
		fails  bool
	}{
		{"once throttled", func(n int) (int, string) {
			if n == 1 {
				return http.StatusServiceUnavailable, throttled
			}
			return http.StatusOK, noVolumes
		}, 2, false},
		{"throttled", always(http.StatusBadRequest, throttled), 6, true},
		{"down", always(http.StatusInternalServerError, ""), 6, true},
		{"cut", always(0, ""), 6, true},
		{"refused", always(http.StatusForbidden, ""), 1, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{answer: c.answer}
			start := time.Now()
			if _, err := s.region().volumes(t.Context()); (err != nil) != c.fails || len(s.asked) != c.asked {
				t.Errorf("%s: asked %d times, %v", c.name, len(s.asked), err)
			}
			if c.asked > 1 && time.Since(start) == 0 {
				t.Errorf("%s: again at once", c.name)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &service{answer: always(http.StatusInternalServerError, "")}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.region().volumes(ctx); !errors.Is(err, context.DeadlineExceeded) || len(s.asked) == 6 {
			t.Errorf("asked %d times, %v", len(s.asked), err)
		}
	})
}

// TestRevoked: what is revoked of a security group is all that names groups, and no more.
func TestRevoked(t *testing.T) {
	const body = `<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId><ipPermissions>
		<item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>444</toPort><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>
		<item><ipProtocol>-1</ipProtocol><groups><item><groupId>sg-2</groupId><userId>1</userId></item><item><groupId>sg-3</groupId><userId>2</userId></item></groups></item>
		<item><ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>81</toPort><groups><item><groupId>sg-4</groupId><userId>1</userId></item></groups></item>
		</ipPermissions><tagSet><item><key>elbv2.k8s.aws/cluster</key><value>bourse-dev</value></item></tagSet></item></securityGroupInfo></DescribeSecurityGroupsResponse>`
	s := &service{answer: always(http.StatusOK, body)}
	found, err := s.region().securityGroups(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if err := found[0].remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := url.ParseQuery(s.bodies[1])
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"Action": {"RevokeSecurityGroupIngress"}, "Version": {"2016-11-15"}, "GroupId": {"sg-1"},
		"IpPermissions.1.IpProtocol":       {"-1"},
		"IpPermissions.1.Groups.1.GroupId": {"sg-2"}, "IpPermissions.1.Groups.1.UserId": {"1"},
		"IpPermissions.1.Groups.2.GroupId": {"sg-3"}, "IpPermissions.1.Groups.2.UserId": {"2"},
		"IpPermissions.2.IpProtocol": {"tcp"}, "IpPermissions.2.FromPort": {"80"}, "IpPermissions.2.ToPort": {"81"},
		"IpPermissions.2.Groups.1.GroupId": {"sg-4"}, "IpPermissions.2.Groups.1.UserId": {"1"},
	}
	if got.Encode() != want.Encode() {
		t.Errorf("revoked %v, want %v", got, want)
	}
}
