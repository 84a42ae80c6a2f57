package archtest

import (
	"os"
	"testing"
)

// TestRepository holds this repository to the rules.
func TestRepository(t *testing.T) {
	const root = "../.."
	graph, err := List(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range Rules {
		t.Run(rule.Name, func(t *testing.T) {
			for _, f := range rule.Check(os.DirFS(root), graph) {
				t.Error(f)
			}
		})
	}
}
