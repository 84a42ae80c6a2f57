package telemetry

import (
	"cmp"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// version and revision are set by the linker where the sources are no checkout, as those of
// images (.ko.yaml).
var version, revision string

// build returns what this binary was made of: a version that sorts by time, and the commit.
func build() (string, string) {
	v, r := version, revision
	if info, ok := debug.ReadBuildInfo(); ok {
		v = cmp.Or(v, info.Main.Version)
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				r = cmp.Or(r, s.Value)
			case s.Key == "vcs.modified" && s.Value == "true" && revision == "":
				dirty = "-dirty"
			}
		}
		if r != "" {
			r += dirty
		}
	}
	return cmp.Or(v, "unknown"), cmp.Or(r, "unknown")
}

func newBuildInfo() prometheus.Collector {
	v, r := build()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "bourse_build_info", Help: "1; its labels are what this binary was made of.",
	}, []string{"version", "revision"})
	info.WithLabelValues(v, r).Set(1)
	return info
}
