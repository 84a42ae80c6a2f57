package main

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"text/template"

	"sigs.k8s.io/yaml"
)

// TestWritten: what is in the repository is what the source gives.
func TestWritten(t *testing.T) {
	s, err := readSource("../../" + sourceDir)
	if err != nil {
		t.Fatal(err)
	}
	forms, err := s.forms()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range forms {
		if got, err := os.ReadFile("../../" + path); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what its source gives (%v): make generate-logs", path, err)
		}
	}
}

// chart is what the official chart is given.
func chart(t *testing.T, path string) (c struct {
	Config struct {
		Service, Inputs, Filters, Outputs, CustomParsers string
		ExtraFiles                                       map[string]string
	}
	Image      struct{ Tag string }
	EnvWithTpl []struct{ Name string }
	Env        []struct{ Name string }
}) {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSame: both charts come to the same files, by their own ways.
func TestSame(t *testing.T) {
	text, err := os.ReadFile("../../" + addonFile)
	if err != nil {
		t.Fatal(err)
	}
	var addon config
	if err := json.Unmarshal(text, &addon); err != nil {
		t.Fatal(err)
	}
	// The add-on's: fluent-bit.conf is service and one @INCLUDE for each file, in the order
	// of names; parsers.conf is beside it.
	includes := ""
	for _, name := range slices.Sorted(maps.Keys(addon.ExtraFiles)) {
		includes += "@INCLUDE " + name + "\n"
	}
	addonFiles := maps.Clone(addon.ExtraFiles)
	addonFiles["fluent-bit.conf"], addonFiles["parsers.conf"] = addon.Service+includes, addon.CustomParsers
	official := chart(t, valuesFile)
	officialFiles := official.Config.ExtraFiles
	officialFiles["fluent-bit.conf"] = official.Config.Service + official.Config.Inputs + official.Config.Filters + official.Config.Outputs
	if !maps.Equal(addonFiles, officialFiles) {
		t.Errorf("the add-on has\n%v\nand the chart\n%v", addonFiles, officialFiles)
	}
	if official.Config.CustomParsers != "" {
		t.Error("the chart's own file of parsers has another name: its are among the extra files")
	}
}

// TestTemplates: both charts take the files for templates; braces in them would be run.
func TestTemplates(t *testing.T) {
	for _, form := range []string{valuesFile, eventsFile} {
		for name, text := range chart(t, form).Config.ExtraFiles {
			tpl, err := template.New(name).Parse(text)
			if err != nil {
				t.Errorf("%s, %s: %v", form, name, err)
				continue
			}
			var b strings.Builder
			if err := tpl.Execute(&b, nil); err != nil || b.String() != text {
				t.Errorf("%s, %s is a template: %v", form, name, err)
			}
		}
	}
}

// TestSettings: what loses lines, makes groups or names none is told by hand here, for all
// outputs and inputs of all forms.
func TestSettings(t *testing.T) {
	for _, form := range []string{valuesFile, eventsFile} {
		c := chart(t, form)
		var env []string
		for _, e := range append(c.Env, c.EnvWithTpl...) {
			env = append(env, "${"+e.Name+"}")
		}
		if len(c.Config.ExtraFiles) < 2 {
			t.Errorf("%s has no files", form)
		}
		for name, text := range c.Config.ExtraFiles {
			sections, err := parseConf(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sections {
				for _, wrong := range faults(s, env) {
					t.Errorf("%s, %s: [%s] %s: %s", form, name, s.name, s.get("name"), wrong)
				}
			}
		}
	}
}

func faults(s section, env []string) (wrong []string) {
	want := func(holds bool, otherwise string) {
		if !holds {
			wrong = append(wrong, otherwise)
		}
	}
	switch s.name {
	case "INPUT":
		want(s.get("storage.type") == "filesystem", "holds lines in memory only")
		want(s.get("mem_buf_limit") != "", "may take all memory")
		want(strings.HasPrefix(s.get("db"), "/var/fluent-bit/state/"), "does not know where it was")
		want(s.get("name") != "tail" || s.get("read_from_head") == "On", "leaves out what a pod wrote before")
		want(s.get("name") != "tail" || s.get("truncate_long_lines") == "On" && s.get("skip_long_lines") == "On", "gives up a file with a long line, or leaves the line out")
	case "OUTPUT":
		want(s.get("retry_limit") == "no_limits", "gives up")
		want(s.get("storage.total_limit_size") != "", "may fill the node's disk")
		want(s.get("auto_create_group") == "false" && s.get("log_retention_days") == "", "makes groups")
		want(strings.HasPrefix(s.get("log_group_name"), "/aws/containerinsights/${CLUSTER_NAME}/"), "names another group")
	}
	for _, pair := range s.keys {
		for rest := pair[1]; ; {
			_, after, found := strings.Cut(rest, "${")
			if !found {
				break
			}
			name, more, _ := strings.Cut(after, "}")
			want(slices.Contains(env, "${"+name+"}"), "the pod has no "+name)
			rest = more
		}
	}
	return wrong
}

// TestFaults: each setting that is looked at has been wrong once.
func TestFaults(t *testing.T) {
	input := section{"INPUT", [][2]string{{"name", "tail"}, {"storage.type", "filesystem"}, {"mem_buf_limit", "1M"}, {"db", "/var/fluent-bit/state/x.db"},
		{"read_from_head", "On"}, {"truncate_long_lines", "On"}, {"skip_long_lines", "On"}}}
	output := section{"OUTPUT", [][2]string{{"name", "cloudwatch_logs"}, {"retry_limit", "no_limits"}, {"storage.total_limit_size", "1G"}, {"auto_create_group", "false"},
		{"log_group_name", "/aws/containerinsights/${CLUSTER_NAME}/application"}}}
	for _, s := range []section{input, output} {
		env := []string{"${CLUSTER_NAME}"}
		if wrong := faults(s, env); len(wrong) > 0 {
			t.Errorf("%s: %v", s.name, wrong)
		}
		for i := 1; i < len(s.keys); i++ {
			broken := section{s.name, slices.Clone(s.keys)}
			broken.keys[i][1] = "other"
			changed := faults(broken, env)
			broken.keys = slices.Delete(broken.keys, i, i+1)
			if len(faults(broken, env)) == 0 || len(changed) == 0 && s.keys[i][0] != "mem_buf_limit" && s.keys[i][0] != "storage.total_limit_size" {
				t.Errorf("[%s] may do without its %s", s.name, s.keys[i][0])
			}
		}
	}
	if len(faults(output, nil)) == 0 {
		t.Error("a variable that the pod does not have is not seen")
	}
}
