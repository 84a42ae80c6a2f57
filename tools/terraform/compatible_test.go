package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// used lists the attributes that the sources set, as aws_lb.access_logs.bucket; of a data
// source as data.aws_region.region.
func used(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, folder := range slices.Concat(modules(t), folders(t, "modules/*/example")) {
		for _, kind := range []string{"resource", "data"} {
			for _, block := range blocksOf(t, folder, kind) {
				name := block.Labels[0]
				if kind == "data" {
					name = "data." + name
				}
				found[name] = true
				addUsed(found, name, block.Body)
			}
		}
	}
	return found
}

// ofTerraform is what every resource may have, whatever its provider.
var ofTerraform = []string{"count", "for_each", "depends_on", "provider", "lifecycle"}

func addUsed(found map[string]bool, path string, body *hclsyntax.Body) {
	for name := range body.Attributes {
		if !slices.Contains(ofTerraform, name) {
			found[path+"."+name] = true
		}
	}
	for _, block := range body.Blocks {
		name, inner := block.Type, block.Body
		if slices.Contains(ofTerraform, name) {
			continue
		}
		if name == "dynamic" && len(inner.Blocks) > 0 {
			name, inner = block.Labels[0], inner.Blocks[0].Body
		}
		found[path+"."+name] = true
		addUsed(found, path+"."+name, inner)
	}
}

var newer = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| ([0-9.]+) \\|")

// listed are what README.md says needs more than the oldest provider: attributes, or all of
// a resource.
func listed(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sources, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, row := range newer.FindAllStringSubmatch(string(text), -1) {
		found[row[1]] = row[2]
	}
	return found
}

// TestListedAttributesAreUsed: the list must not outlive what it lists.
func TestListedAttributesAreUsed(t *testing.T) {
	have := used(t)
	if len(have) < 100 {
		t.Fatalf("%d attributes read", len(have))
	}
	for name := range listed(t) {
		if !have[name] {
			t.Errorf("README.md lists %s, which nothing sets", name)
		}
	}
}

type schemaBlock struct {
	Attributes map[string]json.RawMessage
	Blocks     map[string]struct{ Block schemaBlock } `json:"block_types"`
}

func (b schemaBlock) add(path string, to map[string]bool) {
	to[path] = true
	for name := range b.Attributes {
		to[path+"."+name] = true
	}
	for name, inner := range b.Blocks {
		inner.Block.add(path+"."+name, to)
	}
}

// known lists the attributes that a provider knows.
func known(text []byte) (map[string]bool, error) {
	type schemas map[string]struct{ Block schemaBlock }
	var shown struct {
		Of map[string]struct {
			Resources schemas `json:"resource_schemas"`
			Data      schemas `json:"data_source_schemas"`
		} `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, of := range shown.Of {
		for name, s := range of.Resources {
			s.Block.add(name, found)
		}
		for name, s := range of.Data {
			s.Block.add("data."+name, found)
		}
	}
	return found, nil
}

// unlisted are the attributes that are used, that a provider lacks, and that README.md does
// not give a later version.
func unlisted(used, known map[string]bool, listed map[string]string, version string) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !known[name] && !later(sinceOf(name, listed), version) {
			found = append(found, name)
		}
	}
	return found
}

// sinceOf gives the version that is listed for an attribute or for what it is part of.
func sinceOf(name string, listed map[string]string) string {
	for {
		if since, is := listed[name]; is {
			return since
		}
		end := strings.LastIndexByte(name, '.')
		if end < 0 {
			return "0"
		}
		name = name[:end]
	}
}

func later(one, other string) bool {
	number := func(version string) int {
		var major, minor int
		_, _ = fmt.Sscanf(version, "%d.%d", &major, &minor)
		return major*1000 + minor
	}
	return number(one) > number(other)
}

func TestUnlisted(t *testing.T) {
	known, err := known([]byte(`{"provider_schemas": {"aws": {
		"resource_schemas": {"aws_a": {"block": {"attributes": {"b": {}}, "block_types": {"c": {"block": {"attributes": {"d": {}}}}}}}},
		"data_source_schemas": {"aws_a": {"block": {"attributes": {"e": {}}}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{"aws_a": true, "aws_a.b": true, "aws_a.c.d": true, "data.aws_a.e": true, "data.aws_a.b": true, "aws_a.late": true, "aws_a.early": true, "aws_new": true, "aws_new.a": true}
	got := unlisted(have, known, map[string]string{"aws_a.late": "6.2", "aws_a.early": "5.46", "aws_new": "6.0"}, "5.100.0")
	if want := []string{"aws_a.early", "data.aws_a.b"}; !slices.Equal(got, want) {
		t.Errorf("unlisted %v, want %v", got, want)
	}
}
