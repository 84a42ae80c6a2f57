package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDashboardEvents: the dashboard looks for Kubernetes' events where Fluent Bit writes them.
func TestDashboardEvents(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sources + "/../observability/fluent-bit/events.conf")
	if err != nil {
		t.Fatal(err)
	}
	setting := func(name string) string {
		m := regexp.MustCompile(`(?m)^\s+` + name + `\s+(\S+)$`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("events.conf has no %s", name)
		}
		return string(m[1])
	}
	for root, e := range environments(t) {
		cluster := e.of("aws_eks_cluster")[0].text("name")
		from := "SOURCE '" + strings.ReplaceAll(setting("log_group_name"), "${CLUSTER_NAME}", cluster) + "' | filter @logStream = '" + setting("log_stream_name") + "' | "
		widgets := 0
		for _, r := range e.of("aws_cloudwatch_dashboard") {
			var dashboard struct {
				Widgets []struct {
					Type       string
					Properties struct{ Title, Query string }
				}
			}
			if err := json.Unmarshal([]byte(r.text("dashboard_body")), &dashboard); err != nil {
				t.Fatal(err)
			}
			for _, w := range dashboard.Widgets {
				if w.Type != "log" {
					continue
				}
				widgets++
				if !strings.HasPrefix(w.Properties.Query, from) {
					t.Errorf("%s: %s asks %q, want one that begins with %q", root, w.Properties.Title, w.Properties.Query, from)
				}
			}
		}
		if widgets != 2 {
			t.Errorf("%s has %d widgets of events, want the counts and the list", root, widgets)
		}
	}
}
