// Command ends ends in the ways that Go programs do.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

type store struct{ bars map[string]int }

func (s *store) load(symbol string) int { return s.bars[symbol] / len(symbol) }

func deep(n int) int { return deep(n+1) + n }

func main() {
	key := "bourse_" + strings.Repeat("k3y", 8) + "xy"
	switch os.Args[1] {
	case "panic":
		panic("no bars for EURUSD")
	case "error":
		panic(fmt.Errorf("opening postgres://bourse:s3cr3t@db:5432/bourse: %w", errors.New("refused\nwith a second line")))
	case "secret":
		panic(fmt.Sprintf("GET /query?symbol=IBM&apikey=ALPHA123KEY with Bearer %s", key))
	case "nil":
		var s *store
		s.load("EURUSD")
	case "again":
		defer func() { panic(fmt.Sprint("while recovering: ", recover())) }()
		panic("first")
	case "deadlock":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	case "overflow":
		deep(0)
	case "others":
		for range 3 {
			go func() { select {} }()
		}
		panic("with other goroutines")
	case "long":
		panic(strings.Repeat("a message that containerd cuts ", 1200) + key)
	}
}
