package ingest

import (
	"cmp"
	"slices"

	"bourse/internal/market"
)

// model is what the store should have now, derived from the archive.
type model map[market.SeriesKey]map[int64]derived

type barKey struct {
	market.SeriesKey
	start int64 // seconds since 1970
}

// derived is a value with the payload that gave it.
type derived struct {
	bar    market.Bar
	sha256 string
	// unproven marks a value that was taken over from the store, because its payload
	// cannot be read.
	unproven bool
}

// count returns what loading a batch would change, as far as it matters for holding
// it, and which bars it would revise.
func (m model) count(b market.Batch) (counts market.Counts, revised []barKey) {
	for _, s := range b.Series {
		key := s.Key()
		have := m[key]
		for _, bar := range s.Bars {
			switch old, ok := have[bar.Start.Unix()]; {
			case !ok:
				counts.Inserted++
			case old.bar.Same(bar):
				counts.Unchanged++
			default:
				counts.Revised++
				revised = append(revised, barKey{key, bar.Start.Unix()})
			}
		}
	}
	return counts, revised
}

// load takes a batch in. A value that is confirmed stays that of the payload which
// brought it, as in the store.
func (m model) load(b market.Batch) {
	for _, s := range b.Series {
		for _, bar := range s.Bars {
			key := s.Key()
			if old, ok := m[key][bar.Start.Unix()]; !ok || old.unproven || !old.bar.Same(bar) {
				m.set(key, derived{bar: bar, sha256: b.Payload.SHA256})
			}
		}
	}
}

func (m model) set(key market.SeriesKey, d derived) {
	if m[key] == nil {
		m[key] = map[int64]derived{}
	}
	m[key][d.bar.Start.Unix()] = d
}

// series returns the keys of all series in order.
func (m model) series() []market.SeriesKey {
	keys := make([]market.SeriesKey, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b market.SeriesKey) int {
		return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Interval, b.Interval))
	})
	return keys
}
