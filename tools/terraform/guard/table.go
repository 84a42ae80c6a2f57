package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	notice   = 60  // days before an end of support, in which an upgrade is planned and done
	stale    = 180 // days after which someone must look again for a published end
	noEnding = "none published"
	day      = 24 * time.Hour
)

// A row says until when a version is supported.
type row struct {
	Component, Version string
	Ends               string // a day, or none published
	Source             string
	Looked             string // when the source was read
	Notes              string
	Next               string // what to do
}

type table []row

func readTable(path string) (table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t table
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func (t table) find(p pin) *row {
	i := slices.IndexFunc(t, func(r row) bool { return r.Component == p.component && r.Version == p.version })
	if i < 0 {
		return nil
	}
	return &t[i]
}

// when tells in words how long a pin has.
func (t table) when(p pin, today time.Time) string {
	r := t.find(p)
	if r == nil {
		return "not in support.yaml"
	}
	ends, err := time.Parse(time.DateOnly, r.Ends)
	if err != nil {
		return "no end published, looked up " + r.Looked
	}
	return fmt.Sprintf("until %s, %d days", r.Ends, int(ends.Sub(today)/day))
}

// check lists what must be done. A row is wrong, too, when nothing is pinned that it tells of.
func (t table) check(pins []pin, today time.Time) []error {
	var findings []error
	report := func(format string, args ...any) { findings = append(findings, fmt.Errorf(format, args...)) }
	for _, p := range pins {
		r := t.find(p)
		if r == nil {
			report("%s %s of %s is not in support.yaml: add it, with the day its support ends and where that is published", p.component, p.version, p.file)
			continue
		}
		if err := r.check(today); err != nil {
			report("%s %s of %s %w", p.component, p.version, p.file, err)
		}
	}
	for _, r := range t {
		pinned := func(p pin) bool { return p.component == r.Component && p.version == r.Version }
		if !slices.ContainsFunc(pins, pinned) {
			report("%s %s stands in support.yaml and is pinned nowhere: remove it", r.Component, r.Version)
		}
	}
	return findings
}

func (r row) check(today time.Time) error {
	if !strings.HasPrefix(r.Source, "https://") || r.Next == "" {
		return errors.New("has no source or no next in support.yaml")
	}
	looked, err := time.Parse(time.DateOnly, r.Looked)
	if err != nil || looked.After(today.Add(day)) {
		return fmt.Errorf("was looked up %q, which is no day until today", r.Looked)
	}
	if r.Ends == noEnding {
		if today.Sub(looked) > stale*day {
			return fmt.Errorf("was looked up %d days ago and had no published end of support then: see %s and change looked. %s", int(today.Sub(looked)/day), r.Source, r.Next)
		}
		return nil
	}
	ends, err := time.Parse(time.DateOnly, r.Ends)
	if err != nil {
		return fmt.Errorf("ends %q, which is neither a day nor %q", r.Ends, noEnding)
	}
	if left := int(ends.Sub(today) / day); left <= notice {
		return fmt.Errorf("has %d days until %s, the end of its support (%s). %s", left, r.Ends, r.Source, r.Next)
	}
	return nil
}
