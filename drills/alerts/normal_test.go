package alerts

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bourse/internal/promtest"
)

const (
	normalFor   = 10 * time.Minute
	normalEvery = 15 * time.Second
)

// TestNormal runs bourse with nothing broken, from its first start on, under the rules as
// they are and in real time: none may fire. With -update it writes what was recorded for
// promtool, whose cases see the same ten minutes again.
func TestNormal(t *testing.T) {
	bin, _ := needs(t)
	t.Parallel()
	up := newUpstream(t)
	up.keepUp(t)
	addr, admin := promtest.FreeAddress(t), promtest.FreeAddress(t)
	w := watch(t, ruleFiles(t), normalEvery.String(), "", [3]string{"bourse-api-pods", "", admin})
	began := time.Now()
	start(t, slices.Concat(up.env(), []string{"BOURSE_DATA_DIR=" + t.TempDir(), "BOURSE_ADDR=" + addr, "BOURSE_ADMIN_ADDR=" + admin}), filepath.Join(bin, "bourse"))
	await(t, time.Minute, "bourse is ready", func() bool { return reach("http://" + addr + "/readyz") })
	await(t, time.Minute, "the ECB has been read", func() bool { return reach("http://" + addr + "/api/v1/bars/EURUSD") })
	read(t, addr, 2)
	listening, cancel := context.WithCancel(t.Context())
	defer cancel()
	go ask(listening, "http://"+addr+"/api/v1/stream")

	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for time.Since(began) < normalFor {
		<-tick.C
		for _, of := range w.Firing(t) {
			t.Fatalf("after %s %v fires", time.Since(began).Round(time.Second), of)
		}
	}
	text := w.record(t, began, metricsOf(t))
	t.Logf("quiet for %s; %d bytes are recorded", normalFor, len(text))
	if len(text) > 200<<10 {
		t.Errorf("the recording has %d bytes: too many", len(text))
	}
	if *update && !t.Failed() {
		writeFile(t, filepath.Join(root, "deploy/chart/tests/rules/recorded_test.yaml"), text)
	}
}

var (
	metricName = regexp.MustCompile(`\b(?:bourse_[a-z0-9_]+|up|process_start_time_seconds)\b`)
	recordName = regexp.MustCompile(`[a-z_]+:[a-z_]+:[a-z0-9_]+`)
)

// metricsOf returns the metrics that the rules read of bourse itself.
func metricsOf(t *testing.T) []string {
	names := map[string]bool{}
	for _, text := range ruleFiles(t) {
		for line := range strings.Lines(recordName.ReplaceAllString(text, "")) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				for _, name := range metricName.FindAllString(line, -1) {
					names[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

const recordingHead = `# Ten minutes of bourse with nothing broken, from its first start on, as a Prometheus saw them: written by
# make drill-alerts. Time begins at 0. Of the buckets those that a rule reads are kept.
rule_files: [../../rules/pods.yaml, ../../rules/routes.yaml, ../../rules/slo.yaml, ../../rules/sources.yaml, ../../rules/stores.yaml, ../../rules/targets.yaml]
evaluation_interval: 15s

tests:
  - name: Nothing fires while nothing is broken
    interval: 15s
    input_series:
`

const recordingFoot = `    promql_expr_test:
      - { expr: 'count by (alertname) (count_over_time((ALERTS{alertstate="firing"})[10m:15s]))', eval_time: 10m }
      # And the rules have seen all of it. What is nothing may come out a little less, in floats.
      - { expr: 'count(job:bourse_up:ratio == 1)', eval_time: 10m, exp_samples: [{ value: 1 }] }
      - { expr: 'count(slo:bourse_bad:ratio_rate5m{slo=~"reads-latency|freshness-.+"} > -0.001)', eval_time: 10m, exp_samples: [{ value: 4 }] }
      - { expr: 'count(namespace_source_outcome:bourse_last_run:info{outcome="ok"})', eval_time: 10m, exp_samples: [{ value: 3 }] }
`

// record returns the metrics since a time as cases of promtool.
func (w *watcher) record(t *testing.T, began time.Time, metrics []string) string {
	var out strings.Builder
	out.WriteString(recordingHead)
	for _, name := range metrics {
		selector := name
		if strings.HasSuffix(name, "_bucket") {
			selector += `{le="0.25"}`
		}
		var answer struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
		w.Get(t, "/api/v1/query_range", url.Values{
			"query": {selector}, "step": {normalEvery.String()},
			"start": {strconv.FormatInt(began.Unix(), 10)}, "end": {strconv.FormatInt(began.Add(normalFor).Unix(), 10)},
		}, &answer)
		var lines []string
		for _, series := range answer.Result {
			values := make([]string, int(normalFor/normalEvery)+1)
			for _, at := range series.Values {
				i := int(math.Round((at[0].(float64) - float64(began.Unix())) / normalEvery.Seconds()))
				values[i] = sinceZero(name, at[1].(string), began)
			}
			lines = append(lines, fmt.Sprintf("      - { series: '%s', values: %s }\n", seriesOf(name, series.Metric), compact(values)))
		}
		slices.Sort(lines)
		out.WriteString(strings.Join(lines, ""))
	}
	out.WriteString(recordingFoot)
	return out.String()
}

// sinceZero is a value as it would be had time begun with the recording.
func sinceZero(name, value string, began time.Time) string {
	v, err := strconv.ParseFloat(value, 64) //nolint:forbidigo // a sample, not a price
	if err != nil {
		return value
	}
	if strings.HasSuffix(name, "timestamp_seconds") || name == "process_start_time_seconds" {
		v -= float64(began.Unix())
	}
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

func seriesOf(name string, labels map[string]string) string {
	delete(labels, "__name__")
	delete(labels, "instance")
	var pairs []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, labels[label]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// compact writes samples as promtool wants them: _ for none, axn for one that is repeated.
func compact(values []string) string {
	var out []string
	for i := 0; i < len(values); {
		n := 1
		for i+n < len(values) && values[i+n] == values[i] {
			n++
		}
		switch v := values[i]; {
		case v == "":
			out = append(out, fmt.Sprintf("_x%d", n))
		case n == 1:
			out = append(out, v)
		default:
			out = append(out, fmt.Sprintf("%s+0x%d", v, n-1))
		}
		i += n
	}
	return strings.Join(out, " ")
}

func TestCompact(t *testing.T) {
	if have := compact([]string{"", "", "1", "1", "1", "2.5", "", "0"}); have != "_x2 1+0x2 2.5 _x1 0" {
		t.Error(have)
	}
}
