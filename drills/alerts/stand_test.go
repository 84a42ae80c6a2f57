package alerts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bourse/internal/promtest"
	"bourse/internal/replaytest"
)

const root = "../.."

// needs skips a test where something is missing, and returns a folder with all programs of
// bourse and the name of Alertmanager.
func needs(t *testing.T) (bin, alertmanager string) {
	t.Helper()
	if os.Getenv("BOURSE_TEST_LONG") == "" {
		t.Skip("BOURSE_TEST_LONG is not set: make drill-alerts sets it; this takes a quarter of an hour")
	}
	if !replaytest.There() {
		t.Skip("BOURSE_TEST_REPLAY is not set: there is no replay server for this test")
	}
	promtest.Need(t)
	var err error
	if alertmanager, err = exec.LookPath("prometheus-alertmanager"); err != nil {
		if alertmanager, err = exec.LookPath("alertmanager"); err != nil {
			t.Skip("there is no alertmanager: make drill-alerts installs it")
		}
	}
	bin = t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "./cmd/...")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin, alertmanager
}

// ruleFiles returns the chart's rules by the names of their files.
func ruleFiles(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "deploy/chart/rules/*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no rules, %v", err)
	}
	files := map[string]string{}
	for _, path := range paths {
		files[filepath.Base(path)] = readFile(t, path)
	}
	return files
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// program is a process that can be ended, stopped and started again.
type program struct {
	t    *testing.T
	name string
	args []string
	env  []string
	mu   sync.Mutex
	cmd  *exec.Cmd
	said bytes.Buffer
}

// start starts a program for the length of a test.
func start(t *testing.T, env []string, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: name, args: args, env: append(os.Environ(), env...)}
	p.again()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said: …%s", filepath.Base(name), p.said.Bytes()[max(0, p.said.Len()-3000):])
		}
	})
	return p
}

// again starts a program that has ended.
func (p *program) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = exec.Command(p.name, p.args...)
	p.cmd.Env, p.cmd.Stderr = p.env, &p.said
	if err := p.cmd.Start(); err != nil {
		p.t.Errorf("%s: %v", p.name, err)
	}
}

// kill ends a program at once.
func (p *program) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
}

func (p *program) restart() { p.kill(); p.again() }

func (p *program) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

func (p *program) hang()   { p.signal(syscall.SIGSTOP) }
func (p *program) resume() { p.signal(syscall.SIGCONT) }

// watcher is a Prometheus.
type watcher struct{ *promtest.Server }

// watch starts a Prometheus with rules, which asks targets; each is a job, a namespace and
// an address.
func watch(t *testing.T, rules map[string]string, every, alertmanager string, targets ...[3]string) *watcher {
	t.Helper()
	config := fmt.Sprintf("global: {scrape_interval: %s, scrape_timeout: %s, evaluation_interval: %s}\nrule_files: [\"*.rules.yaml\"]\nscrape_configs:\n", every, every, every)
	for i, of := range targets {
		namespace := ""
		if of[1] != "" {
			namespace = fmt.Sprintf(", labels: {namespace: %s}", of[1])
		}
		config += fmt.Sprintf("  - {job_name: \"%d\", relabel_configs: [{target_label: job, replacement: %s}], static_configs: [{targets: [%q]%s}]}\n", i, of[0], of[2], namespace)
	}
	if alertmanager != "" {
		config += fmt.Sprintf("alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", alertmanager)
	}
	files := map[string]string{"prometheus.yaml": config}
	for file, text := range rules {
		files[strings.TrimSuffix(file, ".yaml")+".rules.yaml"] = text
	}
	return &watcher{promtest.Start(t, files, "--rules.alert.resend-delay=2s")}
}

// await waits for something.
func await(t *testing.T, atMost time.Duration, what string, holds func() bool) bool {
	t.Helper()
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Errorf("not so after %s: %s", atMost, what)
			return false
		case <-t.Context().Done():
			return false
		}
	}
	return true
}

var client = &http.Client{Timeout: 20 * time.Second}

// reach reports whether an address answers well.
func reach(address string) bool {
	resp, err := client.Get(address)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// alert is one that has reached the receiver.
type alert struct {
	Fingerprint string
	Labels      map[string]string
	Status      string
	receiver    string
	fired       time.Time
	resolved    time.Time // zero while it fires
}

// receiver is whom Alertmanager tells.
type receiver struct {
	mu  sync.Mutex
	all []*alert
}

// receive starts a receiver, and an Alertmanager that tells it, as quick as the rules.
func receive(t *testing.T, name string) (*receiver, string) {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	config := scaled(readFile(t, filepath.Join(root, "deploy/observability/alertmanager.yaml")))
	for _, who := range []string{"page", "ticket"} {
		before := config
		config = strings.Replace(config, "  - name: "+who+"\n", fmt.Sprintf("  - name: %s\n    webhook_configs: [{url: %q, send_resolved: true}]\n", who, server.URL+"/"+who), 1)
		if config == before {
			t.Fatalf("alertmanager.yaml has no receiver %s", who)
		}
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "alertmanager.yaml"), config)
	address := promtest.FreeAddress(t)
	start(t, nil, name, "--config.file="+filepath.Join(dir, "alertmanager.yaml"), "--storage.path="+dir, "--web.listen-address="+address,
		"--cluster.listen-address=", "--log.level=warn")
	await(t, time.Minute, "alertmanager is ready", func() bool { return reach("http://" + address + "/-/ready") })
	return r, address
}

// ServeHTTP takes what Alertmanager tells.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var told struct{ Alerts []*alert }
	if err := json.NewDecoder(req.Body).Decode(&told); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range told.Alerts {
		last := r.last(a.Fingerprint)
		switch {
		case a.Status == "firing" && (last == nil || !last.resolved.IsZero()):
			a.fired, a.receiver = time.Now(), strings.TrimPrefix(req.URL.Path, "/")
			r.all = append(r.all, a)
		case a.Status == "resolved" && last != nil && last.resolved.IsZero():
			last.resolved = time.Now()
		}
	}
}

func (r *receiver) last(fingerprint string) *alert {
	for i := len(r.all) - 1; i >= 0; i-- {
		if r.all[i].Fingerprint == fingerprint {
			return r.all[i]
		}
	}
	return nil
}

// since returns the first alert that has been told since a time and matches.
func (r *receiver) since(began time.Time, match func(*alert) bool) *alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.all {
		if !a.fired.Before(began) && match(a) {
			return a
		}
	}
	return nil
}

// done reports whether an alert has been told to be over, and when.
func (r *receiver) done(a *alert) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return a.resolved, !a.resolved.IsZero()
}

// firing returns what was told and is not over.
func (r *receiver) firing() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, a := range r.all {
		if a.resolved.IsZero() {
			names = append(names, fmt.Sprint(a.Labels))
		}
	}
	return names
}
