// Command observability writes the rules of the service level objectives.
//
// An objective leaves a budget of what may be bad. How fast it is used up is what alerts:
// a burn rate of 1 uses it up exactly in the window of the objective. A rate must be
// exceeded over a long window, so that the alert is worth it, and over a short one, so that
// it ends soon after the cause has: Site Reliability Workbook, chapter 5, table 5-8.
package main

import (
	"bytes"
	"fmt"
	"os"
)

// The files, seen from this folder.
const (
	input  = "../../deploy/observability/slo.yaml"
	output = "../../deploy/chart/rules/slo.yaml"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "observability:", err)
		os.Exit(1)
	}
}

func run() error {
	rules, err := generate()
	if err != nil {
		return err
	}
	return os.WriteFile(output, rules, 0o644)
}

func generate() ([]byte, error) {
	text, err := os.ReadFile(input)
	if err != nil {
		return nil, err
	}
	list, err := read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", input, err)
	}
	var rules bytes.Buffer
	list.write(&rules)
	return rules.Bytes(), nil
}
