package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// objectives are the file of them.
type objectives struct {
	Window string
	Least  int
	SLOs   []objective
}

// objective is one: of requests, by Total and either Bad or Good, or of a source, by Late.
type objective struct {
	Name, Alert string
	Objective   float64 // percent
	Page        bool    // whether someone must get up when the budget is soon gone

	Total, Bad, Good     string // rates over $window
	Summary, Description string

	Source string
	Late   time.Duration
}

func read(text []byte) (objectives, error) {
	var list objectives
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil {
		return list, err
	}
	if list.Window != "30d" || list.Least < 1 {
		return list, errors.New("the burn rates are those of 30 days, and one request at least must be bad")
	}
	for _, o := range list.SLOs {
		if err := o.check(); err != nil {
			return list, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	return list, nil
}

func (o objective) check() error {
	requests := o.Total != "" && (o.Bad == "") != (o.Good == "") && o.Summary != "" && o.Description != ""
	source := o.Source != "" && o.Late > 0
	switch {
	case o.Name == "" || !strings.HasPrefix(o.Alert, "Bourse"):
		return errors.New("it has no name, or its alert has none")
	case requests == source:
		return errors.New("it is either of requests (total, bad or good, summary, description) or of a source (source, late)")
	case o.Objective <= 0 || o.budget()*burns[0].rate >= 1:
		return fmt.Errorf("nothing can burn a budget of %v so fast as %v", o.budget(), burns[0].rate)
	}
	return nil
}

// budget is the share that may be bad, without the noise of the subtraction.
func (o objective) budget() float64 {
	return float64(int64((100-o.Objective)*1e4+.5)) / 1e6
}

// burn is a rate of burning and the windows that show it.
type burn struct {
	rate        float64
	long, short string
	fast        bool // soon gone: worth a page
	uses        string
}

var burns = []burn{
	{14.4, "1h", "5m", true, "2 days"},
	{6, "6h", "30m", true, "5 days"},
	{3, "1d", "2h", false, "10 days"},
	{1, "3d", "6h", false, "30 days"},
}

// windows are all of them, the shortest first.
var windows = []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"}

var seconds = map[string]int{"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21600, "1d": 86400, "3d": 259200}
