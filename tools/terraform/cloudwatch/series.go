package cloudwatch

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Sample is a value that was measured, and how often.
type Sample struct{ Value, Count float64 }

// A Series has what a metric reported in each minute. Most report one sample a minute, or none.
type Series [][]Sample

// A Store has the series of metrics by [Metric.String], and what was computed from them. It
// is not for concurrent use, and its series do not change after the first [Alarm.Run].
type Store struct {
	series map[string]Series
	memo   map[string][]datapoint
}

// NewStore takes series by [Metric.String].
func NewStore(series map[string]Series) *Store {
	return &Store{series, map[string][]datapoint{}}
}

type datapoint struct {
	value   float64
	samples float64 // none: there is no datapoint
}

// A statistic makes one datapoint of the minutes from and to (excluded) of a series.
type statistic func(s Series, from, to int) datapoint

func statisticOf(name string) (statistic, error) {
	if percent, ok := strings.CutPrefix(name, "p"); ok {
		p, err := strconv.ParseFloat(percent, 64)
		if err != nil || p < 0 || p > 100 {
			return nil, fmt.Errorf("%q is no percentile", name)
		}
		return percentile(p / 100), nil
	}
	fold, known := map[string]func(sum, least, most, count float64) float64{
		"Sum":         func(sum, _, _, _ float64) float64 { return sum },
		"Average":     func(sum, _, _, count float64) float64 { return sum / count },
		"Minimum":     func(_, least, _, _ float64) float64 { return least },
		"Maximum":     func(_, _, most, _ float64) float64 { return most },
		"SampleCount": func(_, _, _, count float64) float64 { return count },
	}[name]
	if !known {
		return nil, fmt.Errorf("the statistic %q is not modelled", name)
	}
	return func(s Series, from, to int) datapoint {
		var sum, least, most, count float64
		for minute := max(from, 0); minute < min(to, len(s)); minute++ {
			for _, x := range s[minute] {
				if count == 0 {
					least, most = x.Value, x.Value
				}
				sum, count = sum+x.Value*x.Count, count+x.Count
				least, most = min(least, x.Value), max(most, x.Value)
			}
		}
		if count == 0 {
			return datapoint{}
		}
		return datapoint{fold(sum, least, most, count), count}
	}, nil
}

// percentile takes the least value that as many samples do not exceed.
func percentile(part float64) statistic {
	return func(s Series, from, to int) datapoint {
		var all []Sample
		count := 0.0
		for minute := max(from, 0); minute < min(to, len(s)); minute++ {
			for _, x := range s[minute] {
				all, count = append(all, x), count+x.Count
			}
		}
		if count == 0 {
			return datapoint{}
		}
		slices.SortFunc(all, func(a, b Sample) int { return cmp.Compare(a.Value, b.Value) })
		seen := 0.0
		for _, x := range all {
			if seen += x.Count; seen >= part*count {
				return datapoint{x.Value, count}
			}
		}
		return datapoint{all[len(all)-1].Value, count}
	}
}

// A window reads datapoints of one metric by when their period ends.
type window struct {
	series  Series
	compute statistic
	period  int
	late    int
	whole   []datapoint // of periods whose data have all arrived
}

func (store *Store) window(q Query, period, late int) (*window, error) {
	compute, err := statisticOf(q.Stat)
	if err != nil {
		return nil, err
	}
	s := store.series[q.Metric.String()]
	key := fmt.Sprintf("%s %s %d", q.Metric, q.Stat, period)
	whole, known := store.memo[key]
	if !known {
		whole = make([]datapoint, len(s)+1)
		for end := range whole {
			whole[end] = compute(s, end-period, end)
		}
		store.memo[key] = whole
	}
	return &window{s, compute, period, late, whole}, nil
}

// at is the datapoint of the period that ends then, as it can be seen now.
func (w *window) at(end, now int) datapoint {
	if arrived := now - w.late; end > arrived || end >= len(w.whole) {
		return w.compute(w.series, end-w.period, min(end, arrived))
	}
	if end < 0 {
		return datapoint{}
	}
	return w.whole[end]
}
