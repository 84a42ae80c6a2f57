package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// account answers for an AWS account that has one log group of bourse-dev, unless it is
// clean, and shows no secrets where they are denied.
func account(t *testing.T, clean, denied bool) (env []string) {
	t.Helper()
	deleted := clean
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.Contains(r.Header.Get("Authorization"), "/eks/"):
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
		case denied && strings.HasPrefix(target, "secretsmanager."):
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"Message": "not allowed"}`)
		case strings.HasSuffix(target, ".DeleteLogGroup"):
			deleted = true
			_, _ = io.WriteString(w, "{}")
		case strings.HasSuffix(target, ".DescribeLogGroups") && bytes.Contains(body, []byte("/aws/eks/bourse-dev/")) && !deleted:
			_, _ = io.WriteString(w, `{"logGroups": [{"logGroupName": "/aws/eks/bourse-dev/cluster", "creationTime": 1795248000000}]}`)
		case target != "" || strings.Contains(r.Header.Get("Authorization"), "/backup/"):
			_, _ = io.WriteString(w, "{}")
		default:
			form, _ := url.ParseQuery(string(body))
			fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult/></%[1]sResponse>", cmp.Or(form.Get("Action"), "List"))
		}
	}))
	t.Cleanup(server.Close)
	return []string{
		"AWS_ENDPOINT_URL=" + server.URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
}

// doctor runs the real binary to its end.
func doctor(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"doctor"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// TestLeftovers: what is left is shown and changed only by -delete.
func TestLeftovers(t *testing.T) {
	env := account(t, false, false)
	ask := []string{"leftovers", "-name", "bourse-dev", "-region", "eu-west-1", "-replica-region", "eu-west-1"}
	for range 2 { // looking changes nothing
		status, stdout, stderr := doctor(t, env, ask...)
		if status != 1 || !strings.Contains(stderr, "left of bourse-dev: 1;") {
			t.Errorf("status %d, %s", status, stderr)
		}
		if !strings.HasPrefix(stdout, "STATE") || strings.Count(stdout, "\n") != 2 ||
			!strings.Contains(strings.Join(strings.Fields(stdout), " "), "left eu-west-1 log group /aws/eks/bourse-dev/cluster 2026-11-21 0.0 MiB its name") {
			t.Errorf("it shows\n%s", stdout)
		}
	}
	status, stdout, stderr := doctor(t, env, append(ask, "-delete")...)
	if status != 0 || !strings.Contains(stdout, "deleted log group /aws/eks/bourse-dev/cluster in eu-west-1\nnothing is left\n") {
		t.Errorf("status %d, %s %s", status, stdout, stderr)
	}
}

// TestLeftoversUnseen: what may not be looked at is not clean.
func TestLeftoversUnseen(t *testing.T) {
	status, stdout, stderr := doctor(t, account(t, true, true), "leftovers", "-name", "bourse-dev", "-region", "eu-west-1")
	if status != 1 || !strings.Contains(stdout, "could not look: AccessDeniedException: not allowed") ||
		!strings.Contains(stderr, "left of bourse-dev: 0; kinds that could not be looked at: 1") {
		t.Errorf("status %d, %s %s", status, stdout, stderr)
	}
}

func TestLeftoversOfNothing(t *testing.T) {
	status, stdout, stderr := doctor(t, account(t, true, false), "leftovers", "-name", "bourse-dev", "-region", "eu-west-1")
	if status != 0 || stdout != "nothing is left\n" || stderr != "" {
		t.Errorf("status %d, %q %q", status, stdout, stderr)
	}
}

// TestDoctorMisused: what is missing or wrong is said, with a status that no finding has.
func TestDoctorMisused(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"", "say what to look for"},
		{"headaches", `doctor has no verb "headaches"`},
		{"leftovers", "-name"},
		{"leftovers -name bourse-dev", "-region"},
		{"leftovers -name Bourse -region eu-west-1", `"Bourse" is not the name of an environment`},
		{"leftovers -name bourse-dev -region europe", `"europe" is not a region`},
		{"leftovers -name bourse-dev -region eu-west-1 -replica-region here", `"here" is not a region`},
		{"leftovers -name bourse-dev -region eu-west-1 now", `unexpected argument "now"`},
	} {
		status, stdout, stderr := doctor(t, account(t, true, false), strings.Fields(c.command)...)
		if status != 2 || stdout != "" || !strings.HasPrefix(stderr, "bourse: ") || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d, %q %q", c.command, status, stdout, stderr)
		}
	}
	status, _, stderr := doctor(t, nil, "leftovers", "-help")
	if status != 0 || !strings.Contains(stderr, "never deletes:\n  cluster, database, volume,") || !strings.Contains(stderr, "Exit status: 0 nothing is left") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// TestLeftoversAreSmall: the binary has of AWS's clients what it calls, and nothing of
// those that take longest to compile.
func TestLeftoversAreSmall(t *testing.T) {
	body, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	const client = "service/cloudwatchlogs.(*Client)."
	if !bytes.Contains(body, []byte(client+"DescribeLogGroups")) {
		t.Error("it lacks " + client + "DescribeLogGroups, so this test shows nothing")
	}
	if bytes.Contains(body, []byte(client+"CreateLogGroup")) {
		t.Error("it has all of that client: something takes it as an interface (see pages in internal/leftovers)")
	}
	for _, service := range []string{"ec2", "rds"} {
		if bytes.Contains(body, []byte("aws-sdk-go-v2/service/"+service+".")) {
			t.Errorf("it has the SDK's client of %s: ask by query in internal/leftovers", service)
		}
	}
}
