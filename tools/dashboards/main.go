// Dashboards writes Grafana's dashboards into the chart:
//
//	go run . [FOLDER]
//
// Each is a function that returns a whole dashboard. What all of them share stands once: how panels look (panels.go), the
// variables, and what is marked on the time axis of every graph (shared.go). No panel can be made without a unit and without
// a word on what it shows and what would be bad about it. The tests hold every query against what the programs register.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// folder is where the chart has its dashboards.
const folder = "../../deploy/chart/dashboards"

func main() {
	to := folder
	if len(os.Args) > 1 {
		to = os.Args[1]
	}
	if err := write(to); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// dashboards are all there are, by the names of their files.
func dashboards() (map[string]*dashboard.DashboardBuilder, error) {
	promised, err := objectives()
	return map[string]*dashboard.DashboardBuilder{
		"overview": overview(promised),
		"api":      api(),
		"sources":  sources(),
		"cluster":  cluster(),
	}, err
}

// write writes one file for each dashboard.
func write(to string) error {
	all, err := dashboards()
	if err != nil {
		return err
	}
	for name, builder := range all {
		text, err := render(builder)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(to, name+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// render gives panels their numbers, which links to them name, and returns the JSON.
func render(builder *dashboard.DashboardBuilder) ([]byte, error) {
	board, err := builder.Build()
	if err != nil {
		return nil, err
	}
	for i := range board.Panels {
		id := uint32(i + 1)
		if p := board.Panels[i]; p.Panel != nil {
			p.Panel.Id = &id
		} else {
			p.RowPanel.Id = id
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // queries have > and &
	encoder.SetIndent("", "  ")
	err = encoder.Encode(board)
	return text.Bytes(), err
}
