package main

import "testing"

// TestProductionCanBeDisposedOf plans prod as README.md changes it before its destroy: what
// protects it and what throws it away exclude each other in some modules.
func TestProductionCanBeDisposedOf(t *testing.T) {
	needStandIn(t)
	w := openTest(t)
	const root = "envs/prod"
	if !w.dispose(t, root) {
		t.Fatal("prod is disposable as it is")
	}
	if err := w.prepare(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	values, err := w.values(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.terraform(t.Context(), root, append([]string{"plan"}, values...)...); err != nil {
		t.Error(err)
	}
}
