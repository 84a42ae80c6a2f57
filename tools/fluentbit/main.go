// Command fluentbit writes the two forms of deploy/observability/fluent-bit: the add-on's
// settings, which Terraform passes on, and values of the official chart of Fluent Bit, for
// clusters without the add-on and for the events of Kubernetes. Its tests run lines of real
// logs through what it writes.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("../.."); err != nil {
		fmt.Fprintln(os.Stderr, "fluentbit:", err)
		os.Exit(1)
	}
}

func run(repository string) error {
	s, err := readSource(filepath.Join(repository, sourceDir))
	if err != nil {
		return err
	}
	forms, err := s.forms()
	if err != nil {
		return err
	}
	for path, text := range forms {
		if err := os.WriteFile(filepath.Join(repository, path), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
