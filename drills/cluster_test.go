package drills

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/postgres/pgtest"
)

const (
	namespace = "bourse"
	release   = "bourse"
	patience  = 5 * time.Minute
)

// cluster is a Kubernetes with bourse installed, and what it needs on the host.
type cluster struct {
	dir, root  string
	kubeconfig string
	host       string // the address by which pods reach the host
	values     string // file of the values of the installation
	database   *gate
	servers    []func() error // to be ended

	url string // of the dashboard's Service
}

// shared is the cluster that all tests of a run use.
var shared struct {
	once sync.Once
	c    *cluster
	err  error
	skip string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.c != nil {
		if err := shared.c.end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code) //nolint:forbidigo // everything has been ended
}

// installed returns the cluster with bourse installed and its series loaded.
func installed(t *testing.T) *cluster {
	t.Helper()
	shared.once.Do(func() {
		for _, name := range []string{"BOURSE_TEST_CLUSTER", "BOURSE_TEST_REPLAY", "BOURSE_TEST_AWS"} {
			if os.Getenv(name) == "" {
				shared.skip = name + " is not set: there is no cluster for drills"
				return
			}
		}
		shared.c = &cluster{dir: os.Getenv("BOURSE_TEST_CLUSTER")}
		shared.err = shared.c.begin(t)
	})
	if shared.skip != "" {
		t.Skip(shared.skip)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.c
}

func (c *cluster) begin(t *testing.T) error {
	ctx := context.Background() // it serves the tests that follow too
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	c.root = root
	up, err := c.command(ctx, filepath.Join(c.dir, "up"))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(up), "\n")
	c.kubeconfig = lines[len(lines)-1]
	config, err := os.ReadFile(c.kubeconfig)
	if err != nil {
		return err
	}
	server, err := url.Parse(string(regexp.MustCompile(`https://[^\s]+`).Find(config)))
	if err != nil {
		return err
	}
	c.host = server.Hostname()
	if err := c.loadImages(ctx, "drill"); err != nil {
		return err
	}
	if err := c.serve(ctx); err != nil {
		return err
	}
	// What an earlier run has left behind must not be taken for this one.
	if _, err := c.kubectl(ctx, "delete", "namespace", namespace, "--ignore-not-found", "--wait"); err != nil {
		return err
	}
	if _, err := c.kubectl(ctx, "create", "namespace", namespace); err != nil {
		return err
	}
	_, err = c.kubectl(ctx, "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	if err != nil {
		return err
	}
	began := time.Now()
	if out, err := c.upgrade(ctx, "drill"); err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, out, c.state(ctx))
	}
	t.Logf("installed in %s", time.Since(began).Round(time.Second))
	ip, err := c.kubectl(ctx, "-n", namespace, "get", "service", release+"-web", "-o", "jsonpath={.spec.clusterIP}")
	if err != nil {
		return err
	}
	c.url = "http://" + ip
	return c.fill(ctx)
}

// loadImages builds the images and gives them to the nodes.
func (c *cluster) loadImages(ctx context.Context, tag string) error {
	if _, err := c.command(ctx, "make", "-C", c.root, "images", "IMAGE_TAG="+tag); err != nil {
		return err
	}
	var tars []string
	for _, name := range []string{"web", "api", "ingest", "migrate", "bourse"} {
		tars = append(tars, filepath.Join(c.root, "bin", "images", name+"-amd64.tar"))
	}
	_, err := c.command(ctx, filepath.Join(c.dir, "load"), tars...)
	return err
}

// serve starts what pods need on the host and writes the values that name it.
func (c *cluster) serve(ctx context.Context) error {
	server, err := pgtest.Start("max_connections=300", "fsync=off")
	if err != nil {
		return err
	}
	c.servers = append(c.servers, server.Stop)
	if c.database, err = c.open(ctx, server.Address()); err != nil {
		return err
	}
	aws, err := c.background(ctx, "python3", filepath.Join(os.Getenv("BOURSE_TEST_AWS"), "server.py"), "--port", "0")
	if err != nil {
		return err
	}
	create, err := http.NewRequestWithContext(ctx, http.MethodPut, aws+"/archive", nil)
	if err != nil {
		return err
	}
	create.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(create)
	if err != nil {
		return err
	}
	resp.Body.Close()
	bucket, err := c.open(ctx, strings.TrimPrefix(aws, "http://"))
	if err != nil {
		return err
	}
	started, err := c.command(ctx, filepath.Join(os.Getenv("BOURSE_TEST_REPLAY"), "start"), "-addr", "127.0.0.1:0", "-now", "2026-04-13T15:30:00Z")
	if err != nil {
		return err
	}
	fields := strings.Fields(started)
	c.servers = append(c.servers, func() error {
		_, err := c.command(context.Background(), filepath.Join(os.Getenv("BOURSE_TEST_REPLAY"), "stop"), fields[1])
		return err
	})
	feeds, err := c.open(ctx, strings.TrimPrefix(fields[0], "http://"))
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "drill-*.yaml")
	if err != nil {
		return err
	}
	c.values = file.Name()
	c.servers = append(c.servers, func() error { return os.Remove(c.values) })
	database := strings.Replace(server.URL("postgres"), server.Address(), c.database.address, 1)
	_, dbPort, _ := net.SplitHostPort(c.database.address)
	_, s3Port, _ := net.SplitHostPort(bucket.address)
	_, feedPort, _ := net.SplitHostPort(feeds.address)
	_, err = fmt.Fprintf(file, `image: {repository: localhost}
secret: {databaseURL: "%[1]s"}
archive: {url: "s3://archive?region=us-east-1&use_path_style=true&endpoint=http://%[2]s", claim: ""}
env: {AWS_ACCESS_KEY_ID: test, AWS_SECRET_ACCESS_KEY: test, AWS_EC2_METADATA_DISABLED: "true"}
api: {replicas: 3, resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {cpu: "1", memory: 256Mi}}}
web: {replicas: 3, resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {cpu: "1", memory: 128Mi}}}
ingest:
  enabled: true
  ecbURL: http://%[3]s/stats/eurofxref
  coinbaseURL: http://%[3]s
  alphavantageURL: http://%[3]s
spread: {zones: DoNotSchedule}
evictAfterSeconds: 5
termination: {deregistrationDelaySeconds: 1, preStopSeconds: 5, gracePeriodSeconds: 40}
networkPolicy:
  database: {cidrs: [%[4]s/32], port: %[5]s}
  archive: [{cidr: %[4]s/32, port: %[6]s}]
  upstreams: [{cidr: %[4]s/32, port: %[7]s}]
  podIdentity: false
`, database, bucket.address, feeds.address, c.host, dbPort, s3Port, feedPort)
	return errors.Join(err, file.Close())
}

// upgrade installs the chart or upgrades it to images with a tag.
func (c *cluster) upgrade(ctx context.Context, tag string, more ...string) (string, error) {
	args := []string{
		"upgrade", release, filepath.Join(c.root, "deploy", "chart"), "--install", "-n", namespace, "-f", c.values,
		"--set", "image.tag=" + tag, "--wait", "--timeout", patience.String(),
	}
	return c.helm(ctx, append(args, more...)...)
}

// state is what there is to see where something went wrong.
func (c *cluster) state(ctx context.Context) string {
	pods, _ := c.kubectl(ctx, "-n", namespace, "get", "pods,jobs", "-o", "wide")
	logs, _ := c.kubectl(ctx, "-n", namespace, "logs", "-l", "app.kubernetes.io/instance="+release, "--prefix", "--tail=5")
	return pods + "\n" + logs
}

// fill runs the CronJob of the ECB once and waits until its rates are served.
func (c *cluster) fill(ctx context.Context) error {
	if _, err := c.kubectl(ctx, "-n", namespace, "create", "job", "first", "--from=cronjob/"+release+"-ingest-ecb"); err != nil {
		return err
	}
	if _, err := c.kubectl(ctx, "-n", namespace, "wait", "--for=condition=complete", "job/first", "--timeout", patience.String()); err != nil {
		state, _ := c.kubectl(ctx, "-n", namespace, "logs", "job/first")
		return fmt.Errorf("%w\n%s", err, state)
	}
	resp, err := http.Get(c.url + "/api/v1/bars/EURUSD?limit=1&order=desc")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("2026-04-13")) {
		return fmt.Errorf("the first rates: %s %s, %w", resp.Status, body, err)
	}
	return nil
}

func (c *cluster) end() error {
	var errs []error
	if c.kubeconfig != "" {
		_, err := c.kubectl(context.Background(), "delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
		errs = append(errs, err)
	}
	for i := len(c.servers) - 1; i >= 0; i-- {
		errs = append(errs, c.servers[i]())
	}
	return errors.Join(errs...)
}

func (c *cluster) kubectl(ctx context.Context, args ...string) (string, error) {
	return c.command(ctx, filepath.Join(c.dir, "kubectl"), args...)
}

func (c *cluster) helm(ctx context.Context, args ...string) (string, error) {
	return c.command(ctx, "go", append([]string{"tool", "-modfile=" + filepath.Join(c.root, "tools", "chart", "go.mod"), "helm"}, args...)...)
}

// command runs a command and returns what it wrote to standard output.
func (c *cluster) command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// background starts a server that prints its URL, and returns it.
func (c *cluster) background(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	c.servers = append(c.servers, func() error {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		return nil
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return regexp.MustCompile(`http://\S+`).FindString(line), nil
}
