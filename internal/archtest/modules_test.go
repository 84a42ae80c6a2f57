package archtest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	modulesMark = "%% modules"
	modulesPage = "docs/aws.md"
	modulesRoot = "deploy/terraform/envs/prod"
	logsModule  = "modules/observability" // who gives all others the argument logs
)

// checkModules compares the flowchart of docs/aws.md that contains modulesMark with the
// environment of production. A node whose label begins with modules/ is a module, every
// other one an actor outside. Each module that the environment calls must be a node, and
// each arrow between two modules an output of the second that the first takes, both ways;
// where a value comes by a local, whatever that takes counts. Left out of the chart is
// the argument logs, which must then be an output of observability alone.
//
// It reads Terraform by a scanner, for the layout of `terraform fmt`, which make tf-test
// demands: a parser of HCL would be a dependency of all of bourse. What the scanner does
// not know is a finding.
func checkModules(files fs.FS) []Finding {
	text, err := fs.ReadFile(files, modulesPage)
	if err != nil {
		return []Finding{{File: modulesPage, Text: "is missing"}}
	}
	env, found := readEnvironment(files)
	marked := false
	for _, b := range parseMarkdown(modulesPage, string(text)).blocks {
		if b.info == "mermaid" && strings.Contains(b.text, modulesMark) {
			marked = true
			found = append(found, env.compare(parseChart(b))...)
		}
	}
	if !marked {
		found = append(found, Finding{File: modulesPage, Text: "has no mermaid flowchart with the line " + modulesMark})
	}
	return found
}

// environment is what the modules of a root module take from each other.
type environment struct {
	sources map[string]string     // name of a call to the path of its module
	calls   map[string][]argument // by the name of the call
	locals  map[string]string     // name to expression
}

type argument struct{ name, value string }

var (
	blockLine    = regexp.MustCompile(`^(module|locals)(?: "([\w-]+)")? \{$`)
	argumentLine = regexp.MustCompile(`^  ([\w-]+)(?: *=)? (.*)$`)
	moduleWord   = regexp.MustCompile(`^\s*(?:module|locals)\b`)
	moduleOutput = regexp.MustCompile(`\bmodule\.([\w-]+)`)
	localValue   = regexp.MustCompile(`\blocal\.([\w-]+)`)
)

// readEnvironment also returns what it could not read.
func readEnvironment(files fs.FS) (*environment, []Finding) {
	env := &environment{sources: map[string]string{}, calls: map[string][]argument{}, locals: map[string]string{}}
	var found []Finding
	names, _ := fs.Glob(files, modulesRoot+"/*.tf")
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			found = append(found, Finding{File: name, Text: err.Error()})
			continue
		}
		found = append(found, env.read(name, string(text))...)
	}
	for name, arguments := range env.calls {
		for _, a := range arguments {
			if a.name == "source" {
				env.sources[name] = strings.TrimPrefix(strings.Trim(strings.TrimSpace(a.value), `"`), "../../")
			}
		}
		if !strings.HasPrefix(env.sources[name], "modules/") {
			found = append(found, Finding{File: modulesRoot, Text: fmt.Sprintf("module %q is not one of ../../modules", name)})
		}
	}
	return env, found
}

// read takes in a file: of its blocks module and locals each argument, an expression of
// one or more lines.
func (env *environment) read(file, text string) []Finding {
	var found []Finding
	var kind, name string
	var open []argument
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(withoutComment(line), " ")
		if strings.Contains(line, "/*") || strings.Contains(line, "<<") {
			found = append(found, Finding{file, i + 1, "this test reads neither comments of more than a line nor heredocs"})
		}
		switch m := blockLine.FindStringSubmatch(line); {
		case m != nil:
			kind, name, open = m[1], m[2], nil
		case line == "}":
			switch kind {
			case "module":
				env.calls[name] = open
			case "locals":
				for _, a := range open {
					env.locals[a.name] = a.value
				}
			}
			kind = ""
		case kind == "" && moduleWord.MatchString(line):
			found = append(found, Finding{file, i + 1, "not laid out as terraform fmt and this test want it: " + line})
		case kind != "":
			if m := argumentLine.FindStringSubmatch(line); m != nil {
				open = append(open, argument{m[1], m[2]})
			} else if len(open) > 0 {
				open[len(open)-1].value += "\n" + line
			}
		}
	}
	return found
}

// withoutComment cuts what follows a # or // outside of quotes.
func withoutComment(line string) string {
	quoted := false
	for i, r := range line {
		switch {
		case r == '"' && (i == 0 || line[i-1] != '\\'):
			quoted = !quoted
		case !quoted && (r == '#' || strings.HasPrefix(line[i:], "//")):
			return line[:i]
		}
	}
	return line
}

// takes returns the paths of the modules of which an expression takes outputs, by the
// locals that it names too. Terraform refuses locals in a circle.
func (env *environment) takes(value string) []string {
	var paths []string
	for _, m := range moduleOutput.FindAllStringSubmatch(value, -1) {
		paths = append(paths, env.sources[m[1]])
	}
	for _, m := range localValue.FindAllStringSubmatch(value, -1) {
		paths = append(paths, env.takes(env.locals[m[1]])...)
	}
	return paths
}

// arrows returns what must be drawn, and where logs are not what the chart says.
func (env *environment) arrows() (map[arrow]bool, []Finding) {
	all := map[arrow]bool{}
	var found []Finding
	for name, arguments := range env.calls {
		for _, a := range arguments {
			for _, from := range env.takes(a.value) {
				switch {
				case a.name != "logs":
					all[arrow{env.sources[name], from}] = true
				case from != logsModule:
					found = append(found, Finding{modulesRoot, 0, fmt.Sprintf("logs of %s are of %s, and the chart leaves out those of %s only",
						env.sources[name], from, logsModule)})
				}
			}
		}
	}
	return all, found
}

// compare finds the modules and arrows that are in one of chart and environment only.
func (env *environment) compare(c *chart) []Finding {
	want, found := env.arrows()
	finding := func(line int, format string, a ...any) {
		found = append(found, Finding{modulesPage, line, fmt.Sprintf(format, a...)})
	}
	for _, u := range c.unknown {
		finding(u.line, "not a node or an arrow of a chart of modules: %s", u.text)
	}
	called := slices.Collect(maps.Values(env.sources))
	drawn := slices.Collect(maps.Values(c.nodes))
	for _, module := range called {
		if !slices.Contains(drawn, module) {
			finding(c.line, "the chart lacks %s", module)
		}
	}
	for _, node := range drawn {
		if strings.HasPrefix(node, "modules/") && !slices.Contains(called, node) {
			finding(c.line, "%s is no module of %s", node, modulesRoot)
		}
	}
	have := map[arrow]bool{}
	for a, line := range c.arrows {
		drawn := arrow{c.nodes[a.from], c.nodes[a.to]}
		have[drawn] = true
		switch {
		case drawn.from == "" || drawn.to == "":
			finding(line, "%s --> %s joins a node without a name", a.from, a.to)
		case path.Dir(drawn.from) != "modules" || path.Dir(drawn.to) != "modules": // an actor's
		case !want[drawn]:
			finding(line, "the chart draws %s --> %s, which takes no output of it", drawn.from, drawn.to)
		}
	}
	for a := range want {
		if !have[a] {
			finding(c.line, "the chart lacks %s --> %s", a.from, a.to)
		}
	}
	return found
}

// TestModules holds the chart of docs/aws.md to the environment of production.
func TestModules(t *testing.T) {
	for _, f := range checkModules(os.DirFS("../..")) {
		t.Error(f)
	}
}

// TestModulesBreaks changes the chart or the environment in one place, which must be found.
func TestModulesBreaks(t *testing.T) {
	const main = modulesRoot + "/main.tf"
	for _, tt := range []struct {
		name, file, old, text string
		want                  []string // without file and line
	}{
		{"nothing", main, "module", "module", nil},
		{"a module is not drawn", modulesPage, "registry[\"modules/registry", "images[\"the images", []string{"the chart lacks modules/registry"}},
		{
			"a module is renamed", modulesPage, "registry[\"modules/registry", "registry[\"modules/images",
			[]string{"modules/images is no module of " + modulesRoot, "the chart lacks modules/registry"},
		},
		{
			"an arrow is not true", modulesPage, "cluster --> network", "cluster --> network & archive",
			[]string{"the chart draws modules/cluster --> modules/archive, which takes no output of it"},
		},
		{
			"an arrow is drawn as traffic", modulesPage, "cluster --> network", "cluster --> network\n  edge -.-> database",
			[]string{"the chart draws modules/edge --> modules/database, which takes no output of it"},
		},
		{"an arrow is not drawn", modulesPage, "edge --> network & cluster", "edge --> network", []string{"the chart lacks modules/edge --> modules/cluster"}},
		{
			"an arrow is turned round", modulesPage, "cluster --> network", "network --> cluster", []string{
				"the chart draws modules/network --> modules/cluster, which takes no output of it", "the chart lacks modules/cluster --> modules/network",
			},
		},
		{"an arrow to nothing", modulesPage, "cluster --> network", "cluster --> network & nat", []string{"cluster --> nat joins a node without a name"}},
		{
			"a line that is no arrow", modulesPage, "cluster --> network", "cluster --> network\n  cluster --- edge",
			[]string{"not a node or an arrow of a chart of modules: cluster --- edge"},
		},
		{"no chart", modulesPage, modulesMark, "%% nothing", []string{"has no mermaid flowchart with the line " + modulesMark}},
		{
			"a module is added", main, "module \"registry\"", "module \"cache\" {\n  source = \"../../modules/cache\"\n}\n\nmodule \"registry\"",
			[]string{"the chart lacks modules/cache"},
		},
		{
			"a module is removed", main, "module \"registry\" {", "resource \"x\" \"registry\" {",
			[]string{"modules/registry is no module of " + modulesRoot},
		},
		{
			"a module of others", main, `"../../modules/registry"`, `"terraform-aws-modules/ecr/aws"`, []string{
				`module "registry" is not one of ../../modules`, "modules/registry is no module of " + modulesRoot, "the chart lacks terraform-aws-modules/ecr/aws",
			},
		},
		{"an output is taken", main, "= local.disposable\n}", "= module.edge.url == \"\"\n}", []string{"the chart lacks modules/registry --> modules/edge"}},
		{
			"in a nested expression", main, "subnet_ids = module.network.database_subnet_ids }", "subnet_ids = [\n    \"${module.archive.bucket}\" ] }",
			[]string{"the chart lacks modules/database --> modules/archive"},
		},
		{"by locals", main, "local.name\n  images ", "local.other\n  images ", []string{"the chart lacks modules/registry --> modules/backup"}},
		{
			"an output is not taken", main, "{ bucket_arn = module.archive.bucket_arn }", "{}",
			[]string{"the chart draws modules/backup --> modules/archive, which takes no output of it"},
		},
		{
			"logs of another", main, "local.logs\n}\n\nmodule \"cluster\"", "{ key_arn = module.archive.key_arn }\n}\n\nmodule \"cluster\"",
			[]string{"logs of modules/network are of modules/archive, and the chart leaves out those of modules/observability only"},
		},
		{"a comment", main, "force_delete = local.disposable", "force_delete = local.disposable # not module.edge.url", nil},
		{"a comment of its own", main, "  force_delete", "  // module.edge.url\n  force_delete", nil},
		{"a sharp in quotes", main, "= local.disposable\n}", "= \"#${module.edge.url}\"\n}", []string{"the chart lacks modules/registry --> modules/edge"}},
		{
			"a layout that is not read", main, "module \"registry\" {", "module \"cache\" { source = \"../../modules/cache\" }\nmodule \"registry\" {",
			[]string{`not laid out as terraform fmt and this test want it: module "cache" { source = "../../modules/cache" }`},
		},
		{"a heredoc", main, "local.name\n  images", "<<END\n  images", []string{"this test reads neither comments of more than a line nor heredocs"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := trueFiles(t)
			files[modulesRoot+"/more.tf"] = &fstest.MapFile{Data: []byte("locals {\n  other = local.another\n  another = {\n    x = module.backup.plan_id\n  }\n}\n")}
			text := string(files[tt.file].Data)
			if !strings.Contains(text, tt.old) {
				t.Fatalf("%s does not contain %q", tt.file, tt.old)
			}
			files[tt.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, tt.old, tt.text, 1))}
			var found []string
			for _, f := range checkModules(files) {
				found = append(found, f.Text)
			}
			slices.Sort(found)
			slices.Sort(tt.want)
			if !slices.Equal(found, tt.want) {
				t.Errorf("found\n%q\nwant\n%q", found, tt.want)
			}
		})
	}
}

// trueFiles returns the page and the environment as they are.
func trueFiles(t *testing.T) fstest.MapFS {
	t.Helper()
	root := os.DirFS("../..")
	names, err := fs.Glob(root, modulesRoot+"/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range append(names, modulesPage) {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	return files
}
