package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the fluent-bit to test with.
func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("BOURSE_TEST_FLUENTBIT"); path != "" {
		return path
	}
	path, err := exec.LookPath("fluent-bit")
	if err != nil {
		t.Skip("there is no fluent-bit: BOURSE_TEST_FLUENTBIT can name one")
	}
	return path
}

// A node has containers' logs and Fluent Bit's state.
type node struct {
	dir, binary, port string
	cloud             *cloud
	cmd               *exec.Cmd
	stderr            *bytes.Buffer
}

func newNode(t *testing.T, c *cloud) *node {
	t.Helper()
	n := &node{dir: t.TempDir(), binary: binary(t), cloud: c, port: freePort(t)}
	for _, name := range []string{"containers", "pods", "journal", "state", "etc"} {
		if err := os.Mkdir(filepath.Join(n.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	n.write(t, "etc/token", "token")
	n.configure(t, shipped(t))
	return n
}

// configure writes the files as the add-on's chart does. What is replaced is all that
// differs from a real node: paths, ports, and whom to trust.
func (n *node) configure(t *testing.T, c config) {
	t.Helper()
	trust := "\n    tls.ca_file " + n.cloud.ca
	r := strings.NewReplacer(
		"/var/log/containers", n.dir+"/containers",
		"var.log.containers.", strings.ReplaceAll(strings.TrimPrefix(n.dir, "/"), "/", ".")+".containers.",
		"/var/log/journal", n.dir+"/journal",
		"/var/fluent-bit/state", n.dir+"/state",
		"0.0.0.0", "127.0.0.1",
		"2020", n.port,
		"Kubelet_Port        10250", "Kubelet_Port "+n.cloud.port()+"\n    Kube_CA_File "+n.cloud.ca+"\n    Kube_Token_File "+n.dir+"/etc/token",
		"https://kubernetes.default.svc\n", n.cloud.server.URL+"\n    kube_ca_file "+n.cloud.ca+"\n    kube_token_file "+n.dir+"/etc/token\n",
		"region                   ${AWS_REGION}", "region ${AWS_REGION}\n    endpoint 127.0.0.1\n    port "+n.cloud.port()+trust,
	)
	main := c.Service
	for _, name := range slices.Sorted(maps.Keys(c.ExtraFiles)) {
		main += "@INCLUDE " + name + "\n"
		n.write(t, "etc/"+name, r.Replace(c.ExtraFiles[name]))
	}
	n.write(t, "etc/fluent-bit.conf", r.Replace(main))
	n.write(t, "etc/parsers.conf", c.CustomParsers)
}

func (n *node) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// log appends to the log of a container, which is a link to the pod's, as the kubelet makes it.
func (n *node) log(t *testing.T, container, text string) {
	t.Helper()
	link, file := filepath.Join(n.dir, "containers", logName(container)), n.podLog(container)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

func (n *node) podLog(container string) string {
	return filepath.Join(n.dir, "pods", container+".log")
}

func logName(container string) string {
	return "api-0_bourse_" + container + "-" + strings.Repeat("ab", 32) + ".log"
}

func (n *node) start(t *testing.T) {
	t.Helper()
	n.cmd, n.stderr = exec.CommandContext(context.WithoutCancel(t.Context()), n.binary, "-c", n.dir+"/etc/fluent-bit.conf"), &bytes.Buffer{}
	n.cmd.Dir, n.cmd.Stderr, n.cmd.Stdout = n.dir, n.stderr, n.stderr
	n.cmd.Env = []string{"AWS_REGION=eu-central-1", "CLUSTER_NAME=the-cluster", "HOST_NAME=node-1",
		"AWS_ACCESS_KEY_ID=" + awsKey, "AWS_SECRET_ACCESS_KEY=none", "PATH=" + os.Getenv("PATH")}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n.cmd.ProcessState == nil {
			n.end(t, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("%.4000s", n.stderr)
		}
	})
	n.until(t, 30*time.Second, "Fluent Bit answers", func() bool { return n.metric(t, "fluentbit_uptime") != "" })
}

func (n *node) end(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := n.cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	_ = n.cmd.Wait() // killed, or not
}

// metric is the first line of a metric, none while Fluent Bit does not answer.
func (n *node) metric(t *testing.T, name string) string {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+n.port+"/api/v2/metrics/prometheus", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Timeout: 5 * time.Second}).Do(r)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, name) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func (n *node) until(t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", within, what)
		case <-tick.C:
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// TestBinary runs all cases through Fluent Bit.
func TestBinary(t *testing.T) {
	c := newCloud(t)
	n := newNode(t, c)
	all, err := cases()
	if err != nil {
		t.Fatal(err)
	}
	name := func(i int) string { return fmt.Sprintf("case%03d", i) }
	want := 0
	for i, c := range all {
		n.log(t, name(i), c.file)
		want += len(c.want)
	}
	n.start(t)
	n.until(t, 2*time.Minute, "the events of all cases", func() bool {
		for i, c := range all {
			if c.parts {
				if got := c.parsed(n.cloud.events(name(i))); len(got) == 0 || len(got) < got[0].Parts {
					return false
				}
			} else if len(n.cloud.events(name(i))) < len(c.want) {
				return false
			}
		}
		return true
	})
	n.end(t, syscall.SIGTERM)
	for i, each := range all {
		got := c.events(name(i))
		if err := each.judge(each.parsed(got)); err != nil {
			t.Errorf("%s: %v", each.name, err)
		}
		for _, e := range got {
			if e.Kubernetes["pod_name"] != "api-0" || e.Kubernetes["namespace_name"] != "bourse" || e.Kubernetes["container_name"] != name(i) || e.Kubernetes["host"] != "node-1" {
				t.Errorf("%s: is not of its pod: %v", each.name, e.Kubernetes)
			}
		}
	}
	c.check(t)
	if c.longest > 1_000_000 {
		t.Errorf("an event of %d bytes was cut", c.longest)
	}
	t.Logf("%d cases, %d events, the longest of %d bytes", len(all), want, c.longest)
}

// parsed has the parts of a line in their order: those of one request have one time.
func (c testCase) parsed(got []event) []event {
	if c.parts {
		ordered := make([]event, len(got))
		for _, e := range got {
			if e.Part < 1 || e.Part > len(got) {
				return got
			}
			ordered[e.Part-1] = e
		}
		return ordered
	}
	return got
}

// TestEvents: those that are there, and those that come, without their secrets.
func TestEvents(t *testing.T) {
	c := newCloud(t)
	n := newNode(t, c)
	n.configure(t, shippedFiles(t, "events.conf"))
	n.start(t)
	of := "/aws/containerinsights/the-cluster/application kubernetes-events"
	got := map[string]bool{}
	n.until(t, time.Minute, "both events", func() bool {
		for _, e := range c.events(of) {
			got[e.Message] = true
			if strings.Contains(e.raw, "managedFields") || !strings.Contains(e.raw, `"involvedObject":{`) {
				t.Errorf("not as it should be: %s", e.raw)
			}
		}
		return len(got) >= 2
	})
	if !maps.Equal(got, map[string]bool{"probe of postgres://u:[redacted]@db failed": true, "seen later": true}) {
		t.Errorf("the events are %v", got)
	}
	c.check(t)
}

// numbered are lines of a container, from one number to before another.
func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(cri("stdout", jsonLine(fmt.Sprintf(`"number %d"`, i))))
	}
	return b.String()
}

// counts are how often each numbered line came.
func (n *node) counts(container string) map[string]int {
	counts := map[string]int{}
	for _, e := range n.cloud.events(container) {
		counts[string(e.Processed)]++
	}
	return counts
}

func (n *node) wantAll(t *testing.T, container string, total, doubled int) {
	t.Helper()
	n.until(t, 2*time.Minute, fmt.Sprintf("%d lines", total), func() bool { return len(n.counts(container)) >= total })
	more := 0
	for line, count := range n.counts(container) {
		more += count - 1
		if !strings.Contains(line, "number") {
			t.Errorf("not a line that was written: %s", line)
		}
	}
	if more > doubled {
		t.Errorf("%d of %d lines came twice; at most %d may", more, total, doubled)
	}
	t.Logf("%d lines, %d twice", total, more)
}

// TestOutputDown: while CloudWatch is away lines wait on the node's disk.
func TestOutputDown(t *testing.T) {
	c := newCloud(t)
	n := newNode(t, c)
	c.setDown(true)
	n.start(t)
	const total = 20000
	n.log(t, "down", numbered(0, total))
	n.until(t, time.Minute, "chunks on the disk", func() bool {
		files, err := filepath.Glob(n.dir + "/state/flb-storage/tail.0/*.flb")
		return err == nil && len(files) > 0 && n.stored() > total*100
	})
	n.until(t, time.Minute, "CloudWatch was asked again", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.refused > 4
	})
	if len(n.counts("down")) > 0 {
		t.Error("lines came while CloudWatch was away")
	}
	c.setDown(false)
	n.wantAll(t, "down", total, 0)
	c.check(t)
}

// stored is how many bytes wait on the disk.
func (n *node) stored() (size int64) {
	files, err := filepath.Glob(n.dir + "/state/flb-storage/*/*.flb")
	if err != nil {
		return 0
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			size += info.Size()
		}
	}
	return size
}

// TestRestart: a Fluent Bit that ends, or is killed, goes on where it was. What a killed one
// had sent and not noted comes twice: no more than there was since all was noted.
func TestRestart(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			c := newCloud(t)
			n := newNode(t, c)
			const rounds, step = 3, 8000
			for i := range rounds {
				n.log(t, "restart", numbered(i*step, i*step+step/2))
				n.start(t)
				n.log(t, "restart", numbered(i*step+step/2, (i+1)*step))
				n.until(t, time.Minute, "some lines", func() bool { return len(n.counts("restart")) > i*step })
				n.end(t, signal)
				n.start(t)
				n.until(t, time.Minute, "all lines, and nothing waits", func() bool { return len(n.counts("restart")) == (i+1)*step && n.stored() == 0 })
				n.end(t, signal)
			}
			n.wantAll(t, "restart", rounds*step, rounds*step)
			c.check(t)
		})
	}
}

// TestRotation: the kubelet renames a log of 10 MB, and the container writes another.
func TestRotation(t *testing.T) {
	c := newCloud(t)
	n := newNode(t, c)
	n.start(t)
	const step = 2000
	for i := range 5 {
		n.log(t, "rotated", numbered(i*step, (i+1)*step))
		n.until(t, time.Minute, "a line of the log", func() bool { return len(n.counts("rotated")) > i*step })
		if err := os.Rename(n.podLog("rotated"), fmt.Sprintf("%s.%d", n.podLog("rotated"), i)); err != nil {
			t.Fatal(err)
		}
	}
	n.log(t, "rotated", numbered(5*step, 6*step))
	n.wantAll(t, "rotated", 6*step, 0)
	c.check(t)
}
