package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	sourceDir  = "deploy/observability/fluent-bit"
	addonFile  = "deploy/terraform/modules/cluster/fluent-bit.json"
	valuesFile = sourceDir + "/values.yaml"
	eventsFile = sourceDir + "/values-events.yaml"
)

// The add-on's chart has these three files, and its schema knows no others.
var nodeFiles = []string{"application-log.conf", "dataplane-log.conf", "host-log.conf"}

// A source is the files of deploy/observability/fluent-bit by name.
type source map[string]string

func readSource(dir string) (source, error) {
	s := source{}
	for _, name := range slices.Concat(nodeFiles, []string{"service.conf", "parsers.conf", "events.conf", "redact.lua"}) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		s[name] = string(text)
	}
	return s, nil
}

// inlined has the script in the place of its name, since the add-on can mount none: each
// file that it takes is included into the configuration. A value there is one line.
func (s source) inlined(name string) (string, error) {
	const reference = "    script              redact.lua\n"
	text := s[name]
	if strings.Count(text, reference) > 1 || strings.Contains(strings.Replace(text, reference, "", 1), "redact.lua\n") {
		return "", fmt.Errorf("%s: %q must be a line of its own, once", name, strings.TrimSpace(reference))
	}
	text = withoutComments(text, "#")
	return strings.Replace(text, reference, "    code                "+oneLine(s["redact.lua"])+"\n", 1), nil
}

func oneLine(lua string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(withoutComments(lua, "--"), "\n", " ")), " ")
}

// withoutComments also takes empty lines at the beginning and doubled ones.
func withoutComments(text, mark string) string {
	var b strings.Builder
	last := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), mark) || strings.TrimSpace(line+last) == "" {
			continue
		}
		b.WriteString(line)
		last = line
	}
	return b.String()
}

// A config is what both charts make files of.
type config struct {
	Service       string            `json:"service"`
	CustomParsers string            `json:"customParsers"`
	ExtraFiles    map[string]string `json:"extraFiles"`
}

func (s source) config(names ...string) (config, error) {
	c := config{Service: withoutComments(s["service.conf"], "#"), CustomParsers: withoutComments(s["parsers.conf"], "#"), ExtraFiles: map[string]string{}}
	for _, name := range names {
		text, err := s.inlined(name)
		if err != nil {
			return config{}, err
		}
		c.ExtraFiles[name] = text
	}
	return c, nil
}

// forms are the files that are written, by their paths in the repository.
func (s source) forms() (map[string][]byte, error) {
	node, err := s.config(nodeFiles...)
	if err != nil {
		return nil, err
	}
	events, err := s.config("events.conf")
	if err != nil {
		return nil, err
	}
	var addon bytes.Buffer
	e := json.NewEncoder(&addon)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(node); err != nil {
		return nil, err
	}
	return map[string][]byte{
		addonFile:  addon.Bytes(),
		valuesFile: []byte(node.values(nodeValues)),
		eventsFile: []byte(events.values(eventsValues)),
	}, nil
}

// values are those of the official chart, which writes service, inputs, filters and outputs
// into one file, and reads its custom parsers from another.
func (c config) values(head string) string {
	var b strings.Builder
	b.WriteString("# Written by tools/fluentbit (make generate-logs) from the files beside it. README.md says how it is used.\n")
	b.WriteString(head)
	b.WriteString("\nconfig:\n")
	block := func(indent, name, text string) {
		fmt.Fprintf(&b, "%s%s: |\n", indent, name)
		for line := range strings.Lines(text) {
			if line != "\n" {
				b.WriteString(indent + "  ")
			}
			b.WriteString(line)
		}
	}
	block("  ", "service", c.Service)
	names := slices.Sorted(maps.Keys(c.ExtraFiles))
	block("  ", "inputs", "@INCLUDE "+strings.Join(names, "\n@INCLUDE ")+"\n")
	b.WriteString("  filters: \"\"\n  outputs: \"\"\n  customParsers: \"\"\n  extraFiles:\n")
	block("    ", "parsers.conf", c.CustomParsers)
	for _, name := range names {
		block("    ", name, c.ExtraFiles[name])
	}
	return b.String()
}
