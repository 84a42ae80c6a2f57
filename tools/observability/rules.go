package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

const head = `# Written by tools/observability from deploy/observability/slo.yaml: make generate.
# How fast the budget of an objective is used up, over a long and a short window.
groups:
`

func (list objectives) write(w *bytes.Buffer) {
	w.WriteString(head)
	for _, o := range list.SLOs {
		fmt.Fprintf(w, "  - name: bourse-slo-%s\n    rules:\n", o.Name)
		if o.Source != "" {
			fmt.Fprintf(w, "      - record: namespace_source:bourse_stale:bool\n        expr: max by (namespace, source) (bourse_source_overdue_seconds{source=%q}) > bool %v\n        labels: { slo: %s }\n", o.Source, o.Late.Seconds(), o.Name)
		}
		for _, window := range windows {
			fmt.Fprintf(w, "      - record: slo:bourse_bad:ratio_rate%s\n        expr: |\n%s        labels: { slo: %s }\n", window, indented(o.ratio(window)), o.Name)
		}
		for _, b := range burns {
			o.alert(w, b, list.Least)
		}
	}
}

// ratio is the share that was bad.
func (o objective) ratio(window string) string {
	switch {
	case o.Source != "":
		return fmt.Sprintf("avg_over_time(namespace_source:bourse_stale:bool{slo=%q}[%s])", o.Name, window)
	case o.Good != "":
		return "1 -\n" + over(o.Good, window) + "\n/\n" + over(o.Total, window)
	}
	return over(o.Bad, window) + "\n/\n" + over(o.Total, window)
}

// count is how many were bad.
func (o objective) count(window string) string {
	if o.Good != "" {
		return fmt.Sprintf("%d * (\n    %s\n    -\n    %s\n  )", seconds[window], over(o.Total, window), over(o.Good, window))
	}
	return fmt.Sprintf("%d * %s", seconds[window], over(o.Bad, window))
}

func over(expr, window string) string { return strings.ReplaceAll(expr, "$window", window) }

// alert tells of a budget that is burnt at a rate. Of a source, a window that was not yet
// watched from its beginning says nothing: in one of which minutes are there, the first load
// of a new store would be all. Few requests say nothing either.
func (o objective) alert(w *bytes.Buffer, b burn, least int) {
	most := strconv.FormatFloat(b.rate*o.budget(), 'g', 6, 64)
	of := fmt.Sprintf("{slo=%q}", o.Name)
	expr := fmt.Sprintf("slo:bourse_bad:ratio_rate%s%s > %s\nand\nslo:bourse_bad:ratio_rate%s%s > %s", b.long, of, most, b.short, of, most)
	severity := "warning"
	summary, description := o.Summary, "{{ $value | humanizePercentage }} "+o.Description+" in the last "+b.long+"."
	if o.Source != "" {
		expr += fmt.Sprintf("\nand on (namespace, source)\n  namespace_source:bourse_stale:bool%s offset %s", of, b.long)
		summary = "Bars of {{ $labels.source }} are missing"
		description = fmt.Sprintf("For {{ $value | humanizePercentage }} of the last %s, bars that %s should have were missing for more than %s.", b.long, o.Source, spoken(o.Late.Hours()))
	} else {
		expr += fmt.Sprintf("\nand on (namespace)\n  %s >= %d", o.count(b.long), least)
	}
	if b.fast && o.Page {
		severity = "critical"
	}
	fmt.Fprintf(w, `      - alert: %s
        expr: |
%s        labels: { severity: %s, slo: %s, window: %s }
        annotations:
          summary: "%s"
          description: >-
            %s
            The budget of 30 days, %s %%, is then gone within %s.
          runbook: docs/runbooks/%s.md
`, o.Alert, indented(expr), severity, o.Name, b.long, summary, description,
		strconv.FormatFloat(100*o.budget(), 'f', -1, 64), b.uses, o.Alert)
}

func spoken(hours float64) string {
	if hours < 1 {
		return fmt.Sprintf("%v minutes", hours*60)
	}
	return fmt.Sprintf("%v hours", hours)
}

func indented(expr string) string {
	return "          " + strings.ReplaceAll(expr, "\n", "\n          ") + "\n"
}
