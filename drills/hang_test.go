package drills

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHang stops the process of an API pod, as a deadlock would: it is out of the
// endpoints within 15 seconds, and restarted within 60.
func TestHang(t *testing.T) {
	c := installed(t)
	l := c.start(t, clients)
	pod, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component=api",
		"-o", "jsonpath={.items[0].metadata.name} {.items[0].spec.nodeName} {.items[0].status.podIP} {.items[0].status.containerStatuses[0].restartCount}")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(pod)
	name, node, ip, restarts := fields[0], fields[1], fields[2], fields[3]
	if out, err := c.command(t.Context(), filepath.Join(c.dir, "node"), "exec", node, "pkill", "-STOP", "-x", "api"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	began := time.Now()
	for {
		ready, err := c.kubectl(t.Context(), "-n", namespace, "get", "endpointslices", "-l", "kubernetes.io/service-name="+release+"-api",
			"-o", "jsonpath={range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]} {end}")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(" "+ready, " "+ip+" ") {
			break
		}
		if time.Since(began) > 15*time.Second {
			t.Fatalf("it is an endpoint after %s: %s", time.Since(began), ready)
		}
	}
	t.Logf("out of the endpoints after %s", time.Since(began).Round(time.Second))
	for {
		again, err := c.kubectl(t.Context(), "-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}")
		if err != nil {
			t.Fatal(err)
		}
		if count, ready, _ := strings.Cut(again, " "); count != restarts && ready == "true" {
			break
		}
		if time.Since(began) > 60*time.Second {
			t.Fatalf("it is not restarted after %s: %s", time.Since(began), again)
		}
	}
	t.Logf("restarted and ready after %s", time.Since(began).Round(time.Second))
	l.none(1000)
}

// TestDatabaseDown cuts the database off: the API stays ready and answers from memory what
// it was asked before, and all else with a problem; with the database it recovers.
func TestDatabaseDown(t *testing.T) {
	c := installed(t)
	known := c.url + paths[0]
	ask := func(url string) (int, string) {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Bourse-Stale")
	}
	for range 50 { // each replica has it in memory
		if code, _ := ask(known); code != http.StatusOK {
			t.Fatalf("before: %d", code)
		}
	}
	c.database.set(false)
	defer c.database.set(true)
	began := time.Now()
	for {
		if code, stale := ask(known); code == http.StatusOK && stale == "true" {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("no answer is marked as stale")
		}
	}
	if code, _ := ask(c.url + "/api/v1/bars/EURSEK?limit=7"); code != http.StatusServiceUnavailable {
		t.Errorf("what was not asked before: %d", code)
	}
	c.pause(t.Context(), 20*time.Second) // longer than it takes to become unready
	ready, err := c.kubectl(t.Context(), "-n", namespace, "get", "deployment", release+"-api", "-o", "jsonpath={.status.readyReplicas}")
	if err != nil || ready != "3" {
		t.Errorf("%s replicas are ready, %v", ready, err)
	}
	c.database.set(true)
	back := time.Now()
	for {
		if code, stale := ask(c.url + "/api/v1/bars/EURSEK?limit=7"); code == http.StatusOK && stale == "" {
			break
		}
		if time.Since(back) > 30*time.Second {
			t.Fatal("it does not recover")
		}
	}
	t.Logf("whole again %s after the database was back", time.Since(back).Round(time.Millisecond))
}
