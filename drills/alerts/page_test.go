package alerts

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pageHead = `# What alerts tell of faults

Written by ` + "`make drill-alerts`" + `: bourse runs as real processes, a replay server plays the sources, Prometheus has the
chart's rules and Alertmanager the settings of [deploy/observability](../deploy/observability/alertmanager.yaml), and a receiver
writes down what it is told. One thing is broken at a time, on each of five tracks that run beside each other.

**The rules are scaled**: all their durations are divided by %d, and so are Alertmanager's. A second here stands for a minute there,
as far as the time is the rules'; what bourse takes to notice by itself, as a time-out of 30 s, is real.
Meanwhile another bourse, watched by the rules as they are, runs undisturbed for ten minutes: no alert may fire.

| fault | alert | severity | told after | over after |
|---|---|---|---|---|
`

const pageFoot = `
"Over after" is counted from when the fault ended. ` + "`BourseQuarantineGrowing`" + ` lasts for 6 hours by design, and warnings of slow burns as long
as their windows.

Not drilled here: ` + "`BourseContainerOOMKilled`" + ` and ` + "`BoursePodCrashLooping`" + ` need a cluster, where
[drills/crash_test.go](../drills/crash_test.go) raises them; ` + "`BourseScaledOut`" + ` needs an autoscaler, ` + "`BourseAbsent`" + ` a Prometheus that
has lost its targets, and ` + "`BourseSaturated`" + ` more load than this machine can make: promtool's cases have these.
`

// page is the table of what came of the faults.
func (d *drill) page() string {
	var out strings.Builder
	fmt.Fprintf(&out, pageHead, factor)
	for _, r := range d.results {
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s | %s |\n", r.fault, r.alert.Labels["alertname"], r.alert.Labels["severity"], seconds(r.noticed), seconds(r.resolved))
	}
	return out.String() + pageFoot
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func writePage(t *testing.T, text string) { writeFile(t, filepath.Join(root, "docs/alerts.md"), text) }
