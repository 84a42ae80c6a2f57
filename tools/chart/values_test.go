package chart

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestValuesRefused gives wrong values, and sees each refused by a message that names it.
func TestValuesRefused(t *testing.T) {
	if _, err := render(given()); err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		`{replicas: 3}`:                                            "additional properties 'replicas' not allowed",
		`{api: {replica: 3}}`:                                      "at '/api': additional properties 'replica' not allowed",
		`{api: {replicas: "3"}}`:                                   "at '/api/replicas': got string, want integer",
		`{api: {replicas: 0}}`:                                     "at '/api/replicas': minimum: got 0, want 1",
		`{api: {resources: {limits: {memory: 256M}}}}`:             "at '/api/resources/limits/memory': '256M' does not match pattern",
		`{api: {resources: {limits: {cpu: 1}}}}`:                   "at '/api/resources/limits/cpu': got number, want string",
		`{api: {resources: {limits: {cpu: null}}}}`:                "at '/api/resources/limits': missing property 'cpu'",
		`{web: {autoscaling: {cpuPercent: 99}}}`:                   "at '/web/autoscaling/cpuPercent': maximum: got 99, want 95",
		`{database: {url: "sqlite:///data/bourse.db"}}`:            "at '/database/url': 'sqlite:///data/bourse.db' does not match pattern '^(postgres",
		`{database: {url: "", password: x}}`:                       "at '/database': additional properties 'password' not allowed",
		`{secret: {databaseURL: "mysql://db"}}`:                    "at '/secret/databaseURL': 'mysql://db' does not match pattern",
		`{archive: {url: "file:///data"}}`:                         "at '/archive/url': 'file:///data' does not match pattern",
		`{exposure: ingress}`:                                      "at '/exposure': value must be one of 'none', 'loadBalancer', 'targetGroup'",
		`{image: {tag: latest}}`:                                   "at '/image/tag': 'not' failed",
		`{image: {tag: "a b"}}`:                                    "at '/image/tag': 'a b' does not match pattern",
		`{image: {digests: {api: abc}}}`:                           "at '/image/digests/api': 'abc' does not match pattern",
		`{image: {digests: {worker: abc}}}`:                        "at '/image/digests': additional properties 'worker' not allowed",
		`{image: {pullPolicy: Sometimes}}`:                         "at '/image/pullPolicy': value must be one of 'IfNotPresent', 'Always', 'Never'",
		`{logLevel: info}`:                                         "at '/logLevel': value must be one of 'DEBUG', 'INFO', 'WARN', 'ERROR'",
		`{env: {PATH: /bin}}`:                                      "invalid propertyName 'PATH'",
		`{env: {OTEL_X: 1}}`:                                       "at '/env/OTEL_X': got number, want string",
		`{ingest: {schedules: {yahoo: {}}}}`:                       "at '/ingest/schedules': additional properties 'yahoo' not allowed",
		`{ingest: {schedules: {ecb: {schedule: daily}}}}`:          "at '/ingest/schedules/ecb/schedule': 'daily' does not match pattern",
		`{ingest: {coinbaseProducts: btc}}`:                        "at '/ingest/coinbaseProducts': 'btc' does not match pattern",
		`{ingest: {ecbURL: ecb.europa.eu}}`:                        "at '/ingest/ecbURL': 'ecb.europa.eu' does not match pattern",
		`{targetGroup: {arn: web}}`:                                "at '/targetGroup/arn': 'web' does not match pattern",
		`{loadBalancer: {sourceRanges: [all]}}`:                    "at '/loadBalancer/sourceRanges/0': 'all' does not match pattern",
		`{networkPolicy: {clients: []}}`:                           "at '/networkPolicy/clients': minItems: got 0, want 1",
		`{networkPolicy: {database: {port: 0}}}`:                   "at '/networkPolicy/database/port': minimum: got 0, want 1",
		`{networkPolicy: {upstreams: [{cidr: 0.0.0.0/0}]}}`:        "at '/networkPolicy/upstreams/0': missing property 'port'",
		`{networkPolicy: {monitoring: {namespace: "Monitoring"}}}`: "at '/networkPolicy/monitoring/namespace': 'Monitoring' does not match pattern",
		`{termination: {preStopSeconds: "20"}}`:                    "at '/termination/preStopSeconds': got string, want integer",
		`{spread: {zones: Always}}`:                                "at '/spread/zones': value must be one of 'DoNotSchedule', 'ScheduleAnyway'",
		`{monitoring: {serviceMonitor: {interval: often}}}`:        "at '/monitoring/serviceMonitor/interval': 'often' does not match pattern",
		`{traces: {endpoint: "otel:4317"}}`:                        "at '/traces/endpoint': 'otel:4317' does not match pattern",
		`{traces: {sampleRatio: 5}}`:                               "at '/traces/sampleRatio': maximum: got 5, want 1",
		`{proxies: -1}`:                                            "at '/proxies': minimum: got -1, want 0",
		`{migrate: {enabled: "yes"}}`:                              "at '/migrate/enabled': got string, want boolean",
		`{global: {image: x}}`:                                     "at '/global': maxProperties: got 1, want 0",
		`{exposure: targetGroup, targetGroup: {arn: ""}}`:          "bourse: exposure targetGroup needs targetGroup.arn",
		`{termination: {preStopSeconds: 5}}`:                       "bourse: termination.preStopSeconds is 5: it must be more than deregistrationDelaySeconds (15)",
		`{termination: {gracePeriodSeconds: 30}}`:                  "bourse: termination.gracePeriodSeconds is 30: it must be more than preStopSeconds + 25 (45)",
		`{database: {url: ""}}`:                                    "bourse: name a database:",
		`{database: {url: "postgres://u:hunter2@db/b"}}`:           "bourse: database.url has a password",
	} {
		_, err := render(merged(given(), parse(text)))
		if err == nil {
			t.Errorf("%s is not refused", text)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the message has the password", text)
		}
	}
}

// TestSchemaIsWhole compares the schema with values.yaml, both ways: each says all
// that the other does, and no object is open but where the schema says so.
func TestSchemaIsWhole(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	c, err := loadChart()
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{ // maps with keys of the user's own
		"env": true, "monitoring.serviceMonitor.labels": true, "monitoring.prometheusRule.labels": true,
		"monitoring.dashboards.labels": true, "networkPolicy.dns.podLabels": true, "networkPolicy.monitoring.podLabels": true, "networkPolicy.traces.podLabels": true,
	}
	absent := []string{"global", "image.digests.api", "image.digests.web", "image.digests.ingest", "image.digests.migrate"} // without a default
	var walk func(path string, schema map[string]any, value any, has bool)
	walk = func(path string, s map[string]any, value any, has bool) {
		if ref, _ := s["$ref"].(string); ref != "" {
			s = schema["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		}
		if !has && !slices.Contains(absent, path) {
			t.Errorf("values.yaml lacks %s", path)
		}
		if s["type"] != "object" || path == "global" {
			return
		}
		if !open[path] && s["additionalProperties"] != false {
			t.Errorf("%s is open", path)
		}
		properties, _ := s["properties"].(map[string]any)
		values, _ := value.(map[string]any)
		for name, sub := range properties {
			v, has := values[name]
			walk(strings.TrimPrefix(path+"."+name, "."), sub.(map[string]any), v, has)
		}
		if !open[path] {
			for name := range values {
				if properties[name] == nil {
					t.Errorf("the schema lacks %s.%s", path, name)
				}
			}
		}
	}
	walk("", schema, c.Values, true)
}

// TestValuesFiles sees to it that each values file is a small difference that only says
// what is different, and that production is as the README says.
func TestValuesFiles(t *testing.T) {
	c, err := loadChart()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range dimensions["file"][1:] {
		v := file(t, name)
		if n := leaves("", v, c.Values, func(path string) { t.Errorf("values-%s.yaml repeats the default of %s", name, path) }); n > 20 {
			t.Errorf("values-%s.yaml has %d differences", name, n)
		}
	}
	for _, hpa := range kind(mustRender(t, file(t, "prod"), given()), "HorizontalPodAutoscaler") {
		spec := hpa.Object["spec"].(map[string]any)
		if spec["minReplicas"].(int64) < 3 {
			t.Errorf("%s has %v replicas in production", hpa.GetName(), spec["minReplicas"])
		}
	}
}

// leaves counts what values say, and names what the defaults say already.
func leaves(path string, v, defaults map[string]any, same func(path string)) int {
	n := 0
	for _, name := range slices.Sorted(maps.Keys(v)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		if sub, is := v[name].(map[string]any); is {
			of, _ := defaults[name].(map[string]any)
			n += leaves(at, sub, of, same)
			continue
		}
		n++
		if fmt.Sprint(v[name]) == fmt.Sprint(defaults[name]) {
			same(at)
		}
	}
	return n
}
