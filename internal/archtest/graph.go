package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "bourse"

// Graph is the packages of the module with what they import outside of their tests.
type Graph []Package

// Package is one package as `go list -json` describes it.
type Package struct {
	ImportPath string
	Name       string
	Imports    []string
	Dir        string
	GoFiles    []string
}

// path returns the folder of the package inside the repository: "internal/market".
func (p Package) path() string { return inside(p.ImportPath) }

// inside returns the folder of an import path of this module, "" for all others.
func inside(importPath string) string {
	if dir, ok := strings.CutPrefix(importPath, module+"/"); ok {
		return dir
	}
	return ""
}

// List asks the go command for the graph of the module at root.
func List(root string) (Graph, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Imports,Dir,GoFiles", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	var graph Graph
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return graph, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		// The test cache sees which files this process touches, not what its children
		// read: without this a cached pass would outlive a new import.
		for _, name := range p.GoFiles {
			if _, err := os.Stat(filepath.Join(p.Dir, name)); err != nil {
				return nil, err
			}
		}
		graph = append(graph, p)
	}
}
