package main

import (
	"fmt"
	"io"
	"time"

	"bourse/internal/ingest"
)

// tellEvery is the least time between two lines of progress.
const tellEvery = time.Second

// teller writes progress for people, each time a whole line: lines of the log may come
// between.
type teller struct {
	w    io.Writer
	last time.Time
	step string
}

func (t *teller) tell(p ingest.Progress) {
	step := p.Source + ": " + p.Step
	if now := time.Now(); step != t.step || now.Sub(t.last) >= tellEvery {
		t.step, t.last = step, now
		of := ""
		if p.Total > 0 {
			of = fmt.Sprintf(" of %d", p.Total)
		}
		_, _ = fmt.Fprintf(t.w, "%s %d%s, %s\n", step, p.Done, of, p.Item) // a terminal that went away is no reason to stop
	}
}
