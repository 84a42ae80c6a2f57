package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"bourse/tools/terraform/cloudwatch"
)

// A catalogue has what is published, by namespace and name (deploy/terraform/metrics.yaml).
type catalogue map[string][]published

type published struct {
	dimensions [][]string // sets, each sorted
	statistics []string   // p stands for all percentiles
}

func readCatalogue(t *testing.T) catalogue {
	t.Helper()
	text, err := os.ReadFile(sources + "/metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Namespace, Source string
		Dimensions        [][]string
		Metrics           map[string]struct {
			Unit       string
			Statistics []string
		}
	}
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	d.KnownFields(true)
	if err := d.Decode(&entries); err != nil {
		t.Fatal(err)
	}
	c := catalogue{}
	for _, e := range entries {
		if !strings.HasPrefix(e.Source, "https://docs.aws.amazon.com/") {
			t.Errorf("metrics.yaml: %s does not say which page of AWS it is from", e.Namespace)
		}
		for name, m := range e.Metrics {
			if m.Unit == "" || len(m.Statistics) == 0 {
				t.Errorf("metrics.yaml: %s %s has no unit or no statistic", e.Namespace, name)
			}
			c.add(e.Namespace, name, published{e.Dimensions, m.Statistics})
		}
	}
	c.addOwn(t)
	return c
}

func (c catalogue) add(namespace, name string, p published) {
	for _, set := range p.dimensions {
		slices.Sort(set)
	}
	key := namespace + " " + name
	c[key] = append(c[key], p)
}

// ownMetrics is written by a test of the function, from what it writes to its log.
const ownMetrics = "../../cmd/ingest-lambda/testdata/metrics.json"

// addOwn adds the function's metrics. A run reports each once: counts are summed, of the
// others sums say nothing.
func (c catalogue) addOwn(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(ownMetrics)
	if err != nil {
		t.Fatal(err)
	}
	var own struct {
		Namespace  string
		Dimensions []string
		Metrics    []struct{ Name, Unit string }
	}
	if err := json.Unmarshal(text, &own); err != nil {
		t.Fatalf("%s: %v", ownMetrics, err)
	}
	for _, m := range own.Metrics {
		statistics := []string{"Average", "Minimum", "Maximum", "SampleCount"}
		if m.Unit == "Count" {
			statistics = append(statistics, "Sum")
		}
		c.add(own.Namespace, m.Name, published{[][]string{slices.Clone(own.Dimensions)}, statistics})
	}
}

// finds says what is wrong with a metric as it is named, or nothing.
func (c catalogue) finds(m cloudwatch.Metric, stat string) string {
	entries, known := c[m.Namespace+" "+m.Name]
	if !known {
		return fmt.Sprintf("nothing publishes %s %s", m.Namespace, m.Name)
	}
	named := slices.Sorted(maps.Keys(m.Dimensions))
	for _, p := range entries {
		if !slices.ContainsFunc(p.dimensions, func(set []string) bool { return slices.Equal(set, named) }) {
			continue
		}
		if !slices.ContainsFunc(p.statistics, func(s string) bool { return s == stat || s == "p" && percentileName.MatchString(stat) }) {
			return fmt.Sprintf("the statistic %s says nothing of %s %s", stat, m.Namespace, m.Name)
		}
		return ""
	}
	return fmt.Sprintf("%s %s is not published by %v", m.Namespace, m.Name, named)
}

var percentileName = regexp.MustCompile(`^p\d+(\.\d+)?$`)

// A naming is a metric that an alarm or a graph names.
type naming struct {
	by     string
	metric cloudwatch.Metric
	stat   string
}

func (e *estate) namings(t *testing.T) []naming {
	t.Helper()
	var all []naming
	for short, a := range e.alarmsOf(t) {
		for _, q := range a.Queries {
			if q.Expression == "" {
				all = append(all, naming{"the alarm " + short, q.Metric, q.Stat})
			}
		}
	}
	for _, r := range e.of("aws_cloudwatch_dashboard") {
		all = append(all, graphed(t, r.text("dashboard_body"))...)
	}
	return all
}

// graphed reads the metrics of a dashboard's graphs: a list of namespace, name, dimensions by
// name and value, and options at its end. A name of dots repeats that of the line above.
func graphed(t *testing.T, body string) []naming {
	t.Helper()
	var dashboard struct {
		Widgets []struct {
			Properties struct {
				Title, Stat string
				Metrics     [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
		t.Fatal(err)
	}
	var all []naming
	for _, w := range dashboard.Widgets {
		for _, line := range w.Properties.Metrics {
			n := naming{by: "the graph " + w.Properties.Title, stat: w.Properties.Stat}
			var words []string
			for _, word := range line {
				switch word := word.(type) {
				case string:
					words = append(words, word)
				case map[string]any:
					if stat, ok := word["stat"].(string); ok {
						n.stat = stat
					}
					if expression, ok := word["expression"].(string); ok {
						words, n.stat = searched(expression)
					}
				}
			}
			if len(words) == 0 {
				continue // an expression over others
			}
			if len(words) < 2 || len(words)%2 != 0 || slices.Contains(words, ".") {
				t.Errorf("%s: %v is not written out", n.by, line)
				continue
			}
			n.metric = cloudwatch.Metric{Namespace: words[0], Name: words[1], Dimensions: map[string]string{}}
			for i := 2; i < len(words); i += 2 {
				n.metric.Dimensions[words[i]] = words[i+1]
			}
			all = append(all, n)
		}
	}
	return all
}

// search is an expression that draws all metrics of a name and some dimensions.
var search = regexp.MustCompile(`^SEARCH\('\{([\w/]+),([\w,]+)\} .*\bMetricName="(\w+)"', '(\w+)', \d+\)$`)

// searched returns what a search draws, as a line would name it, and the statistic. Any other
// expression is one over lines.
func searched(expression string) (words []string, stat string) {
	m := search.FindStringSubmatch(expression)
	if m == nil {
		return nil, ""
	}
	words = []string{m[1], m[3]}
	for dimension := range strings.SplitSeq(m[2], ",") {
		words = append(words, dimension, "any")
	}
	return words, m[4]
}

// TestMetrics: no alarm and no graph names a metric, a set of dimensions or a statistic that
// nothing publishes.
func TestMetrics(t *testing.T) {
	t.Parallel()
	c := readCatalogue(t)
	for root, e := range environments(t) {
		all := e.namings(t)
		for _, n := range all {
			if finding := c.finds(n.metric, n.stat); finding != "" {
				t.Errorf("%s: %s: %s", root, n.by, finding)
			}
		}
		if len(all) < 40 {
			t.Errorf("%s names %d metrics only", root, len(all))
		}
	}
}

// TestMetricsBreak spoils each naming in each of its words.
func TestMetricsBreak(t *testing.T) {
	t.Parallel()
	c := readCatalogue(t)
	spoiled := 0
	for _, e := range environments(t) {
		for _, n := range e.namings(t) {
			for _, name := range slices.Sorted(maps.Keys(n.metric.Dimensions)) {
				m := n.metric
				m.Dimensions = maps.Clone(n.metric.Dimensions)
				m.Dimensions[misspelt(name)] = m.Dimensions[name]
				delete(m.Dimensions, name)
				if spoiled++; c.finds(m, n.stat) == "" {
					t.Errorf("%s: %s passes", n.by, m)
				}
			}
			namespace, name := n.metric, n.metric
			namespace.Namespace += "s"
			name.Name = misspelt(name.Name)
			for m, stat := range map[*cloudwatch.Metric]string{&namespace: n.stat, &name: n.stat, &n.metric: misspelt(n.stat)} {
				if spoiled++; c.finds(*m, stat) == "" {
					t.Errorf("%s: %s of %s passes", n.by, stat, m)
				}
			}
		}
	}
	t.Logf("%d namings spoiled", spoiled)
}

// misspelt turns two letters round.
func misspelt(word string) string {
	letters := []byte(word)
	for i := 1; i < len(letters); i++ {
		if letters[i] != letters[i-1] {
			letters[i], letters[i-1] = letters[i-1], letters[i]
			break
		}
	}
	return string(letters)
}
