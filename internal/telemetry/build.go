package telemetry

import (
	"cmp"
	"os"
	"runtime/debug"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// build returns what this binary is: its version and the commit that it was made of. The binary
// of an image knows neither (docs/decisions/0015-images.md): who deploys it says so, as
// attributes of the resource, where traces have them from too.
func build() (version, revision string) {
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "-dirty"
			}
		}
		revision += dirty
	}
	version = cmp.Or(resourceAttribute("service.version"), version, "unknown")
	revision = cmp.Or(resourceAttribute("vcs.ref.head.revision"), revision, "unknown")
	return version, revision
}

// resourceAttribute returns an attribute of the resource that the environment names.
func resourceAttribute(name string) string {
	for pair := range strings.SplitSeq(os.Getenv("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		if key, value, _ := strings.Cut(strings.TrimSpace(pair), "="); key == name {
			return value
		}
	}
	return ""
}

func newBuildInfo() prometheus.Collector {
	version, revision := build()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "bourse_build_info", Help: "1; its labels are what this binary was made of.",
	}, []string{"version", "revision"})
	info.WithLabelValues(version, revision).Set(1)
	return info
}
