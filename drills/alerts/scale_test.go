package alerts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	forLine   = regexp.MustCompile(`(?m)^        for: (\d+[smhd])$`)
	rangePart = regexp.MustCompile(`(\[|offset )(\d+[smhd])\b`)
	since     = regexp.MustCompile(`(time\(\) - .* [<>] )(\d+)`)
	overdue   = regexp.MustCompile(`(bourse_source_overdue_seconds.* > bool )(\d+)`)
	perWindow = regexp.MustCompile(`(?m)^( *)(\d+) (\* (?:sum|\())`)
	waiting   = regexp.MustCompile(`(group_wait: |group_interval: |repeat_interval: )(\d+[smhd])`)
)

// scaled returns rules, or the settings of Alertmanager, all durations of which are divided.
// What stands in labels and annotations stays.
func scaled(text string) string {
	shorter := func(duration string) string {
		return fmt.Sprintf("%dms", length(duration).Milliseconds()/factor)
	}
	less := func(seconds string) string {
		n, _ := strconv.Atoi(seconds)
		return strconv.FormatFloat(float64(n)/factor, 'f', -1, 64)
	}
	text = forLine.ReplaceAllStringFunc(text, func(s string) string {
		return "        for: " + shorter(forLine.FindStringSubmatch(s)[1])
	})
	for pattern, change := range map[*regexp.Regexp]func(string) string{rangePart: shorter, since: less, overdue: less, waiting: shorter} {
		text = pattern.ReplaceAllStringFunc(text, func(s string) string {
			m := pattern.FindStringSubmatch(s)
			return m[1] + change(m[2])
		})
	}
	return perWindow.ReplaceAllStringFunc(text, func(s string) string {
		m := perWindow.FindStringSubmatch(s)
		return m[1] + less(m[2]) + " " + m[3]
	})
}

// length is the length of a duration of Prometheus that has one unit.
func length(text string) time.Duration {
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil {
		return 0
	}
	return time.Duration(n) * unit[text[len(text)-1]]
}

// TestScaled takes each way in which the rules name a duration, and then sees to it that
// none of the rules escapes.
func TestScaled(t *testing.T) {
	for before, want := range map[string]string{
		"        for: 9h":                      "        for: 540000ms",
		"rate(x[5m])":                          "rate(x[5000ms])",
		"rate(x[3d])":                          "rate(x[4320000ms])",
		"x offset 15m":                         "x offset 15000ms",
		"time() - max by (source) (x) > 72000": "time() - max by (source) (x) > 1200",
		"bourse_source_overdue_seconds{} > bool 1800": "bourse_source_overdue_seconds{} > bool 30",
		"  3600 * sum by (n) (rate(x[1h])) >= 10":     "  60 * sum by (n) (rate(x[60000ms])) >= 10",
		"labels: { window: 1h }":                      "labels: { window: 1h }",
		"  group_wait: 30s":                           "  group_wait: 500ms",
	} {
		if have := scaled(before); have != want {
			t.Errorf("%q becomes %q, want %q", before, have, want)
		}
	}
	for name, text := range ruleFiles(t) {
		left := regexp.MustCompile(`(?:for: |\[|offset )\d+[smhd]\b`).FindAllString(scaled(text), -1)
		if len(left) > 0 {
			t.Errorf("%s still has %s", name, strings.Join(left, ", "))
		}
	}
}
