package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bourse/internal/lambdatest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

var errNoAWS = errors.New("BOURSE_TEST_AWS is not set: there is no double of AWS for this test")

// startAWS starts the double of AWS and returns its address.
func startAWS() (*url.URL, error) {
	dir := os.Getenv("BOURSE_TEST_AWS")
	if dir == "" {
		return nil, errNoAWS
	}
	server := exec.CommandContext(context.Background(), "python3", filepath.Join(dir, "server.py"), "--port", "0")
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	atEnd(func() error {
		err := server.Process.Kill()
		_ = server.Wait() // it was killed
		return err
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the double of AWS says %q: %w", line, err)
	}
	return url.Parse(regexp.MustCompile(`http://\S+`).FindString(line))
}

// account is the double of AWS behind a proxy that notes what is sent and can fail, with a
// bucket and a secret for one test.
type account struct {
	t       *testing.T
	url     string // the proxy's
	bucket  string
	secret  string // its name
	s3      *s3.Client
	secrets *secretsmanager.Client

	mu    sync.Mutex
	sent  []*http.Request
	fault *fault
}

var accounts atomic.Int64

func newAccount(t *testing.T) *account {
	t.Helper()
	target, err := double()
	if errors.Is(err, errNoAWS) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	a := &account{t: t}
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.sent = append(a.sent, r.Clone(context.Background()))
		f := a.fault
		a.mu.Unlock()
		if f != nil && f.meets(r) {
			f.answer(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	a.url = proxy.URL
	n := accounts.Add(1)
	a.bucket, a.secret = fmt.Sprintf("archive-%d", n), fmt.Sprintf("bourse-test-%d/alphavantage-key", n)
	cfg := aws.Config{
		Region: lambdatest.Region, BaseEndpoint: aws.String(target.String()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	a.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	a.secrets = secretsmanager.NewFromConfig(cfg)
	_, err = a.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &a.bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
		LocationConstraint: lambdatest.Region,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// env are the settings of a function that works in the account. A Lambda function has no
// address of AWS among its own; it is what makes this account one.
func (a *account) env() map[string]string {
	return map[string]string{
		"BOURSE_ARCHIVE_URL": "s3://" + a.bucket + "?use_path_style=true&region=" + lambdatest.Region,
		"AWS_ENDPOINT_URL":   a.url,
	}
}

// bed is one that works in the account.
func (a *account) bed(settings map[string]string) *bed {
	a.t.Helper()
	env := a.env()
	for name, value := range settings {
		env[name] = value
	}
	return newBed(a.t, env)
}

// put gives the secret a value.
func (a *account) put(value string) {
	a.t.Helper()
	_, err := a.secrets.PutSecretValue(a.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &a.secret, SecretString: &value})
	if err != nil {
		_, err = a.secrets.CreateSecret(a.t.Context(), &secretsmanager.CreateSecretInput{Name: &a.secret, SecretString: &value})
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// took returns the requests since it was called last.
func (a *account) took() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent := a.sent
	a.sent = nil
	return sent
}

func (a *account) breaks(f *fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = f
}

// service tells which of AWS's services a request is for.
func service(r *http.Request) string {
	if name, _, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return name
	}
	return "s3"
}
