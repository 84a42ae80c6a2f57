package main_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// emf is a line in CloudWatch's embedded metric format.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type emf struct {
	At         time.Time
	Namespace  string
	Dimensions []string
	Values     map[string]float64
	Units      map[string]string
	Members    map[string]any // all of the line
}

// The units that CloudWatch knows and bourse uses, and the limits of the format.
var units = []string{"Count", "Seconds"}

const (
	mostMetrics    = 100
	mostDimensions = 30
	mostName       = 1024
)

// readEMF reads a line of the log; ok is false where it is none. What the format does not
// allow is an error.
func readEMF(line string, now time.Time) (m emf, ok bool, err error) {
	if err := json.Unmarshal([]byte(line), &m.Members); err != nil {
		return m, false, fmt.Errorf("a line of the log is not a JSON object: %w: %s", err, line)
	}
	meta, ok := m.Members["_aws"].(map[string]any)
	if !ok {
		return m, false, nil
	}
	ms, isNumber := meta["Timestamp"].(float64)
	m.At = time.UnixMilli(int64(ms))
	if !isNumber || m.At.Before(now.AddDate(0, 0, -14)) || m.At.After(now.Add(2*time.Hour)) {
		return m, true, fmt.Errorf("_aws.Timestamp is %v: milliseconds of now are wanted", meta["Timestamp"])
	}
	directives, _ := meta["CloudWatchMetrics"].([]any)
	if len(directives) != 1 {
		return m, true, fmt.Errorf("_aws.CloudWatchMetrics is %v", meta["CloudWatchMetrics"])
	}
	return m, true, m.directive(directives[0])
}

func (m *emf) directive(of any) error {
	var d struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct{ Name, Unit string }
	}
	text, err := json.Marshal(of)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	switch {
	case err != nil:
		return err
	case d.Namespace == "" || len(d.Namespace) > mostName || strings.HasPrefix(d.Namespace, "AWS/"):
		return fmt.Errorf("the namespace is %q", d.Namespace)
	case len(d.Dimensions) != 1 || len(d.Dimensions[0]) > mostDimensions:
		return fmt.Errorf("the dimensions are %v", d.Dimensions)
	case len(d.Metrics) == 0 || len(d.Metrics) > mostMetrics:
		return fmt.Errorf("there are %d metrics", len(d.Metrics))
	}
	m.Namespace, m.Dimensions = d.Namespace, d.Dimensions[0]
	m.Values, m.Units = map[string]float64{}, map[string]string{}
	for _, name := range m.Dimensions {
		if value, isText := m.Members[name].(string); !isText || value == "" || len(value) > mostName {
			return fmt.Errorf("the dimension %s is %v", name, m.Members[name])
		}
	}
	for _, metric := range d.Metrics {
		value, isNumber := m.Members[metric.Name].(float64)
		if !isNumber || metric.Name == "" || len(metric.Name) > mostName {
			return fmt.Errorf("the metric %s is %v", metric.Name, m.Members[metric.Name])
		}
		if !slices.Contains(units, metric.Unit) {
			return fmt.Errorf("the unit of %s is %q", metric.Name, metric.Unit)
		}
		if _, twice := m.Values[metric.Name]; twice {
			return fmt.Errorf("the metric %s is there twice", metric.Name)
		}
		m.Values[metric.Name], m.Units[metric.Name] = value, metric.Unit
	}
	return nil
}

// names are those of its metrics, in order.
func (m emf) names() string {
	var list []string
	for name := range m.Values {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// TestEMF: what CloudWatch would drop without a word is found.
func TestEMF(t *testing.T) {
	now := time.UnixMilli(1776096000000)
	const good = `{"_aws":{"Timestamp":1776096000000,"CloudWatchMetrics":[{"Namespace":"bourse","Dimensions":[["function","source"]],` +
		`"Metrics":[{"Name":"rows","Unit":"Count"}]}]},"function":"f","source":"ecb","rows":5}`
	if m, ok, err := readEMF(good, now); err != nil || !ok || m.Values["rows"] != 5 || m.names() != "rows" {
		t.Fatalf("%+v %v %v", m, ok, err)
	}
	if _, ok, err := readEMF(`{"msg":"run finished"}`, now); ok || err != nil {
		t.Errorf("a line of the log: %v %v", ok, err)
	}
	for _, change := range [][2]string{
		{good, `rows 5`}, {`1776096000000`, `"now"`}, {`1776096000000`, `1776096000`}, {`"source":"ecb"`, `"source":7`},
		{`"source":"ecb",`, ``}, {`"rows":5`, `"rows":"5"`}, {`,"rows":5`, ``}, {`"Unit":"Count"`, `"Unit":"Rows"`},
		{`"bourse"`, `"AWS/Lambda"`}, {`[["function","source"]]`, `["function","source"]`}, {`[{"Name":"rows","Unit":"Count"}]`, `[]`},
	} {
		if _, _, err := readEMF(strings.Replace(good, change[0], change[1], 1), now); err == nil {
			t.Errorf("%s was taken for %s", change[1], change[0])
		}
	}
}
