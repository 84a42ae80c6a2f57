package api_test

import (
	"fmt"
	"net/http"
	"testing"
)

// BenchmarkBars asks for the same two years of bars, and for another range each time.
func BenchmarkBars(b *testing.B) {
	f := newFixture(b)
	for name, target := range map[string]func(n int) string{
		"kept": func(int) string { return "/api/v1/bars/EURUSD" },
		"read": func(n int) string { return fmt.Sprintf("/api/v1/bars/EURUSD?from=1%03d-01-01", n%1000) },
	} {
		b.Run(name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				if w := f.get(target(n)); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
