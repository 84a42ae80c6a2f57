package ingest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"bourse/internal/market"
)

// largeMove is the change from one close to the next, in either direction, beyond
// which a bar is marked for review. It is loaded all the same: the franc did rise by
// 14 % on 2015-01-15.
var largeMove = map[market.Kind]float64{market.FX: 0.10, market.Crypto: 0.30, market.Equity: 0.30}

// validate moves the bars of a batch that cannot be true into quarantine and marks
// those that are surprising.
func validate(b *market.Batch, latest map[market.SeriesKey]market.Bar) {
	kinds := make(map[string]market.Kind, len(b.Instruments))
	for _, i := range b.Instruments {
		kinds[i.Symbol] = i.Kind
	}
	for i := range b.Series {
		s := &b.Series[i]
		sound := s.Bars[:0:0]
		for _, bar := range unique(b, s) {
			if err := bar.Check(b.Payload.ReceivedAt); err != nil {
				b.Quarantine = append(b.Quarantine, quarantined(s, bar, err.Error(), false))
			} else {
				sound = append(sound, bar)
			}
		}
		s.Bars = sound
		mark(b, s, kinds[s.Symbol], latest[s.Key()])
	}
	for i := range b.Quarantine {
		b.Quarantine[i].Source = b.Payload.Source
	}
}

// unique returns the bars of a series with one for each start. Where a source says
// two things of one time, neither can be believed and both go into quarantine.
func unique(b *market.Batch, s *market.Series) []market.Bar {
	out := make([]market.Bar, 0, len(s.Bars))
	for i := 0; i < len(s.Bars); {
		same, n := true, i+1
		for ; n < len(s.Bars) && s.Bars[n].Start.Equal(s.Bars[i].Start); n++ {
			same = same && s.Bars[n].Same(s.Bars[i])
		}
		if same {
			out = append(out, s.Bars[i])
		} else {
			for _, bar := range s.Bars[i:n] {
				b.Quarantine = append(b.Quarantine, quarantined(s, bar, "two different values for one time", false))
			}
		}
		i = n
	}
	return out
}

// mark notes moves that someone should look at.
func mark(b *market.Batch, s *market.Series, kind market.Kind, latest market.Bar) {
	limit, ok := largeMove[kind]
	if !ok {
		return
	}
	var before market.Bar
	for i, bar := range s.Bars {
		if i == 0 && !latest.Start.IsZero() && latest.Start.Before(bar.Start) {
			before = latest
		}
		if !before.Start.IsZero() {
			if move := change(before.Close, bar.Close); math.Abs(move) > limit {
				reason := fmt.Sprintf("moved %+.1f %% since %s", 100*move, s.Interval.Format(before.Start))
				b.Quarantine = append(b.Quarantine, quarantined(s, bar, reason, true))
			}
		}
		before = bar
	}
}

func change(from, to market.Decimal) float64 {
	a, _ := from.Float64()
	b, _ := to.Float64()
	return b/a - 1
}

func quarantined(s *market.Series, bar market.Bar, reason string, loaded bool) market.Quarantined {
	return market.Quarantined{Symbol: s.Symbol, Interval: s.Interval, Start: bar.Start, Raw: raw(bar), Reason: reason, Loaded: loaded}
}

// raw writes the prices of a bar: the one of a fixing, else all four.
func raw(bar market.Bar) string {
	if bar.Open == bar.Close && bar.High == bar.Low {
		return bar.Close.String()
	}
	return fmt.Sprintf("%s %s %s %s", bar.Open, bar.High, bar.Low, bar.Close)
}

// A payload that changes more than half of at least restatementMin stored values is
// no correction. Nothing of it is loaded until a person has said so.
const restatementMin = 5

var errRestated = errors.New("restatement")

func restated(c market.Counts) error {
	if stored := c.Revised + c.Unchanged; stored >= restatementMin && 2*c.Revised > stored {
		return &market.Failure{
			Outcome: market.NeedsPerson,
			Reason:  fmt.Sprintf("%d of %d stored values differ; nothing was loaded", c.Revised, stored),
			Err:     errRestated,
			Alone:   true,
		}
	}
	return nil
}

// age is how long after its publication, or its beginning where a source never closes,
// the newest value came in; zero where there is none.
func age(source market.Source, newest time.Time, receivedAt time.Time) time.Duration {
	if newest.IsZero() {
		return 0
	}
	if source.Poll > 0 {
		return max(0, receivedAt.Sub(newest))
	}
	return max(0, receivedAt.Sub(source.Published(market.DateOf(newest))))
}
