package cloudwatch

import (
	"fmt"
	"strconv"
	"strings"
)

// A reader gives the datapoints of an alarm: of its one metric, or of its expression.
type reader struct {
	alarm   *Alarm
	windows map[string]*window
	single  *window
	compute expression
	enough  float64 // samples of a percentile, where fewer are ignored
}

func newReader(a *Alarm, store *Store, model Model) (*reader, error) {
	r := &reader{alarm: a, windows: map[string]*window{}}
	ids := map[string]bool{}
	var returns []Query
	for _, q := range a.Queries {
		if q.Returns {
			returns = append(returns, q)
		}
		if q.Expression != "" {
			continue
		}
		w, err := store.window(q, a.Period, model.Late)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		r.windows[q.ID], ids[q.ID] = w, true
	}
	if len(returns) != 1 {
		return nil, fmt.Errorf("%s: %d queries return data, not one", a.Name, len(returns))
	}
	if q := returns[0]; q.Expression == "" {
		r.single = r.windows[q.ID]
		r.enough = enough(q.Stat, a.LowSamples)
		return r, nil
	}
	compute, err := compile(returns[0].Expression, ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	r.compute = compute
	return r, nil
}

// at is the datapoint of the period that ends then, as it can be seen now.
func (r *reader) at(end, now int) (float64, bool) {
	if r.single != nil {
		p := r.single.at(end, now)
		return p.value, p.samples > 0
	}
	v := r.compute(func(id string) value {
		p := r.windows[id].at(end, now)
		return value{p.value, p.samples > 0}
	})
	return v.number, v.there
}

// tooFew says whether the datapoints of a percentile stand for too few samples, and are to be
// ignored then.
func (r *reader) tooFew(now int, real []age) bool {
	if r.enough == 0 || len(real) == 0 {
		return false
	}
	samples := 0.0
	for _, p := range real[:min(len(real), r.alarm.Periods)] {
		samples += r.single.at(now-(p.periods-1)*r.alarm.Period, now).samples
	}
	return samples < r.enough
}

// enough is how many samples a percentile needs in the periods that are evaluated: 10/(1-p)
// from the median on, 10/p below (percentiles-with-low-samples.html).
func enough(stat, low string) float64 {
	percent, is := strings.CutPrefix(stat, "p")
	if !is || low != "ignore" {
		return 0
	}
	p, err := strconv.ParseFloat(percent, 64)
	if err != nil || p <= 0 || p >= 100 {
		return 0
	}
	if p < 50 {
		return 1000 / p
	}
	return 1000 / (100 - p)
}
