package alerts

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"bourse/internal/promtest"
)

// TestObserve starts what make observe starts, and ends it as Ctrl-C does: nothing may be
// left of it.
func TestObserve(t *testing.T) {
	needs(t)
	ports := []string{"8080", "9090", "9091", "9093"}
	taken := func() (list []string) {
		for _, port := range ports {
			if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
				conn.Close()
				list = append(list, port)
			}
		}
		return list
	}
	if list := taken(); len(list) > 0 {
		t.Skipf("ports are taken: %v", list)
	}
	build := exec.Command("go", "build", "-o", "bin/", "./cmd/bourse")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(filepath.Join(root, "deploy/observability/observe"))
	cmd.Env = append(os.Environ(), "BOURSE_DATA_DIR="+t.TempDir(), "BOURSE_ECB_URL=http://127.0.0.1:1", "BOURSE_COINBASE_PRODUCTS=none")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal signals all of a group
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // where it did not end
	for _, address := range []string{"localhost:8080/readyz", "localhost:9091/-/ready", "localhost:9093/-/ready"} {
		await(t, time.Minute, address+" answers", func() bool { return reach("http://" + address) })
	}
	var rules struct{ Groups []any }
	(&promtest.Server{URL: "http://localhost:9091"}).Get(t, "/api/v1/rules", nil, &rules)
	if len(rules.Groups) < 10 {
		t.Errorf("Prometheus has %d groups of rules", len(rules.Groups))
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() {
		_ = cmd.Wait() // by a signal
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	if list := taken(); len(list) > 0 {
		t.Errorf("ports are still taken: %v", list)
	}
}
