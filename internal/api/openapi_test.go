package api

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDescriptionHasEveryProblem compares the problems that the code knows with those
// that the description lists, in both directions.
func TestDescriptionHasEveryProblem(t *testing.T) {
	source, err := os.ReadFile("problem.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(openapiYAML), "\n    Problem:\n")
	if !ok {
		t.Fatal("there is no schema Problem")
	}
	known := firstGroups(`kind\{"([a-z-]+)"`, string(source))
	listed := firstGroups(`(?m)^ +- urn:bourse:problem:([a-z-]+)$`, list)
	if !slices.Equal(known, listed) {
		t.Errorf("the code has %v, the schema Problem %v", known, listed)
	}
	// Those that any path can have stand in the introduction.
	anywhere := []string{methodNotAllowed.slug, notFound.slug}
	perRoute := firstGroups(`urn:bourse:problem:([a-z-]+)['"]`, string(openapiYAML))
	for _, slug := range known {
		if slices.Contains(perRoute, slug) == slices.Contains(anywhere, slug) {
			t.Errorf("problem %s: listed for routes: %t", slug, slices.Contains(perRoute, slug))
		}
	}
}

// TestDescriptionHasEveryField compares the fields of the answers with the properties
// of their schemas, in both directions.
func TestDescriptionHasEveryField(t *testing.T) {
	_, schemas, _ := strings.Cut(string(openapiYAML), "\n  schemas:\n")
	for schema, sample := range map[string]any{
		"Instrument":  filled[instrumentJSON](),
		"Bar":         filled[barJSON](),
		"Quote":       quoteJSON{History: []number{{}}},
		"Conversion":  conversionJSON{},
		"Stats":       filled[statsJSON](),
		"Point":       pointJSON{},
		"Lineage":     lineageJSON{},
		"Bar Version": versionJSON{},
		"Run":         filled[runJSON](),
		"Quarantined": quarantinedJSON{},
		"Source":      filled[sourceJSON](),
		"Problem":     problem{Detail: "d", Parameter: "p", Request: "r"},
	} {
		text, err := json.Marshal(sample)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		var properties []string
		for name := range strings.FieldsSeq(schema) {
			_, block, ok := strings.Cut("\n"+schemas, "\n    "+name+":\n")
			if !ok {
				t.Errorf("there is no schema %s", name)
			}
			block = regexp.MustCompile(`(?m)^ {0,4}\S`).Split(block, 2)[0]
			properties = append(properties, firstGroups(`(?m)^ {8}([a-z0-9_]+):`, block)...)
		}
		properties = slices.DeleteFunc(properties, func(p string) bool { return p == "simulated" })
		slices.Sort(properties)
		if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, properties) {
			t.Errorf("%s: the answer has %v, the schema %v", schema, got, properties)
		}
	}
}

// firstGroups returns what the first group of an expression matches, each once, in order.
func firstGroups(expression, text string) []string {
	var found []string
	for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}
