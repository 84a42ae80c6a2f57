package drills

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/promtest"
)

// TestCrashes rolls out a release whose API is killed for want of memory, and one whose
// programs end at their start. The old pods go on serving, the chart's rules tell of the new
// ones, and are quiet before and after. It prints how long each took.
func TestCrashes(t *testing.T) {
	c := installed(t)
	p := c.prometheus(t)
	for _, bad := range []struct {
		name, alert string
		within      time.Duration
		values      string
	}{
		// It starts in that, and the kernel kills it when it serves. In less it ends by itself.
		{"OOM kill", "BourseContainerOOMKilled", 2 * time.Minute, "api.resources.requests.memory=6Mi,api.resources.limits.memory=6Mi"},
		{"crash loop", "BoursePodCrashLooping", 3 * time.Minute, "env.BOURSE_ADDR=nowhere"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			p.wait(t, patience, "six containers are seen and none alerts", func() bool {
				seen := p.query(t, `kube_pod_container_info{container=~"api|web"} and on (namespace, pod, container) namespace_pod_container:bourse_container:present`)
				return len(seen) == 6 && len(p.Firing(t)) == 0
			})
			l := c.start(t, clients)
			began := time.Now()
			if out, err := c.upgrade(t.Context(), "drill", "--set", bad.values, "--wait=hookOnly"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			p.wait(t, bad.within, bad.alert+" fires", func() bool {
				return slices.ContainsFunc(p.Firing(t), func(of map[string]string) bool {
					return of["alertname"] == bad.alert && strings.HasPrefix(of["pod"], release+"-api-")
				})
			})
			t.Logf("%s fired %s after the release: %v", bad.alert, time.Since(began).Round(time.Second), p.Firing(t))
			last, err := c.kubectl(t.Context(), "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component=api",
				"-o", "jsonpath={range .items[*].status.containerStatuses[?(@.restartCount>0)]}{.restartCount} restarts, the last after {.lastState.terminated}{end}")
			t.Logf("%s %v", last, err)
			back := time.Now()
			if out, err := c.helm(t.Context(), "rollback", release, "-n", namespace, "--wait", "--timeout", patience.String()); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			p.wait(t, patience, "all alerts are resolved", func() bool { return len(p.Firing(t)) == 0 })
			t.Logf("resolved %s after the rollback began", time.Since(back).Round(time.Second))
			l.none(1000)
		})
	}
}

// prometheus is a Prometheus on the host that has the chart's rules.
type prometheus struct{ *promtest.Server }

// prometheus starts a Prometheus that reads the state of pods every five seconds, until
// the test ends. The rules are as the chart has them, their durations too.
func (c *cluster) prometheus(t *testing.T) *prometheus {
	t.Helper()
	promtest.Need(t)
	states := httptest.NewServer(http.HandlerFunc(c.serveStates))
	t.Cleanup(states.Close)
	rule, err := c.helm(t.Context(), "template", release, filepath.Join(c.root, "deploy", "chart"), "-n", namespace, "-f", c.values,
		"--set", "monitoring.prometheusRule.enabled=true", "--show-only", "templates/prometheusrule.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, spec, _ := strings.Cut(rule, "\nspec:\n") // it is a file of rules, two columns to the right
	return &prometheus{promtest.Start(t, map[string]string{
		"rules.yaml": strings.ReplaceAll("\n"+spec, "\n  ", "\n"),
		"prometheus.yaml": fmt.Sprintf(`global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [rules.yaml]
scrape_configs:
  - {job_name: kube-state-metrics, honor_labels: true, static_configs: [{targets: ["%s"]}]}
`, strings.TrimPrefix(states.URL, "http://")),
	})}
}

// wait waits until something holds.
func (p *prometheus) wait(t *testing.T, atMost time.Duration, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); {
		if time.Since(began) > atMost {
			t.Fatalf("not so after %s: %s; firing are %v", atMost, what, p.Firing(t))
		}
		select {
		case <-time.After(time.Second):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// query returns the labels of what an expression finds.
func (p *prometheus) query(t *testing.T, expr string) []map[string]string {
	t.Helper()
	var found []map[string]string
	var answer struct {
		Result []struct{ Metric map[string]string }
	}
	p.Get(t, "/api/v1/query", url.Values{"query": {expr}}, &answer)
	for _, of := range answer.Result {
		found = append(found, of.Metric)
	}
	return found
}

// serveStates is a double of kube-state-metrics, with the metrics that the chart's rules
// use under their documented names and labels. Drills need nothing but programs and images
// of bourse, and the cluster has no registry to get the true one from; a cluster with
// kube-state-metrics has the same from there.
func (c *cluster) serveStates(w http.ResponseWriter, r *http.Request) {
	var out bytes.Buffer
	if err := c.states(r.Context(), &out); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = out.WriteTo(w)
}

// state is that of a container: one of them, or none.
type state struct {
	Waiting    *struct{ Reason string }
	Terminated *struct {
		Reason     string
		FinishedAt time.Time
	}
}

// states writes the states of the pods as metrics.
func (c *cluster) states(ctx context.Context, out *bytes.Buffer) error {
	text, err := c.kubectl(ctx, "-n", namespace, "get", "pods", "-o", "json")
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name, UID string }
			Spec     struct {
				Containers []struct{ Name, Image string }
			}
			Status struct {
				ContainerStatuses []struct {
					Name             string
					RestartCount     int
					State, LastState state
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return err
	}
	metrics := map[string][]string{}
	for _, pod := range list.Items {
		of := fmt.Sprintf(`namespace=%q,pod=%q,uid=%q`, namespace, pod.Metadata.Name, pod.Metadata.UID)
		var completed time.Time
		images := map[string]string{}
		for _, container := range pod.Spec.Containers {
			images[container.Name] = container.Image
		}
		for _, status := range pod.Status.ContainerStatuses {
			add := func(metric, more string, value int64) {
				metrics[metric] = append(metrics[metric], fmt.Sprintf("%s{%s,container=%q%s} %d\n", metric, of, status.Name, more, value))
			}
			add("kube_pod_container_info", fmt.Sprintf(",image_spec=%q", images[status.Name]), 1)
			add("kube_pod_container_status_restarts_total", "", int64(status.RestartCount))
			if now := status.State.Waiting; now != nil {
				add("kube_pod_container_status_waiting_reason", fmt.Sprintf(",reason=%q", now.Reason), 1)
			}
			if now := status.State.Terminated; now != nil {
				add("kube_pod_container_status_terminated_reason", fmt.Sprintf(",reason=%q", now.Reason), 1)
				if now.FinishedAt.After(completed) {
					completed = now.FinishedAt
				}
			}
			if last := status.LastState.Terminated; last != nil {
				add("kube_pod_container_status_last_terminated_reason", fmt.Sprintf(",reason=%q", last.Reason), 1)
				add("kube_pod_container_status_last_terminated_timestamp", "", last.FinishedAt.Unix())
			}
		}
		if !completed.IsZero() {
			metrics["kube_pod_completion_time"] = append(metrics["kube_pod_completion_time"], fmt.Sprintf("kube_pod_completion_time{%s} %d\n", of, completed.Unix()))
		}
	}
	for name, lines := range metrics {
		kind := "gauge"
		if strings.HasSuffix(name, "_total") {
			kind = "counter"
		}
		fmt.Fprintf(out, "# TYPE %s %s\n%s", name, kind, strings.Join(lines, ""))
	}
	if len(metrics) == 0 {
		return errors.New("there are no pods")
	}
	return nil
}
