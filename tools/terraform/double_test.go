package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// versions are the real providers at hand: BOURSE_TEST_PROVIDERS is a folder as Terraform's
// filesystem mirrors are, registry.terraform.io/hashicorp/aws/VERSION/OS_ARCH.
func versions(t *testing.T) []string {
	t.Helper()
	mirror := os.Getenv("BOURSE_TEST_PROVIDERS")
	if mirror == "" {
		t.Skip("BOURSE_TEST_PROVIDERS is not set: there is no real provider for this test")
	}
	found, err := filepath.Glob(filepath.Join(mirror, providerFolder, "*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s in %s: %v", providerFolder, mirror, err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found
}

const providerFolder = "registry.terraform.io/hashicorp/aws"

// useVersion makes Terraform use one of the versions of the mirror.
func (w *workspace) useVersion(t *testing.T, version string) {
	t.Helper()
	from, err := filepath.Abs(filepath.Join(os.Getenv("BOURSE_TEST_PROVIDERS"), providerFolder, version))
	if err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	to := filepath.Join(mirror, providerFolder, version)
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	platforms, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range platforms { // Terraform follows links at this depth only
		if err := os.Symlink(filepath.Join(from, platform.Name()), filepath.Join(to, platform.Name())); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(mirror, "terraformrc")
	text := fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "TF_CLI_CONFIG_FILE="+config)
}

// TestRealProviders validates the roots, and with them all modules, with each real provider
// at hand, and compares README.md's list of newer attributes with what the provider knows.
func TestRealProviders(t *testing.T) {
	for _, version := range versions(t) {
		t.Run(version, func(t *testing.T) {
			w := openTest(t)
			w.useVersion(t, version)
			for _, root := range folders(t, "bootstrap", "envs/*") {
				if _, err := w.terraform(t.Context(), root, "init", "-backend=false", "-input=false"); err != nil {
					t.Fatal(err)
				}
				if _, err := w.terraform(t.Context(), root, "validate"); err != nil {
					t.Error(err)
				}
			}
			schema, err := w.terraform(t.Context(), "bootstrap", "providers", "schema", "-json")
			if err != nil {
				t.Fatal(err)
			}
			known, err := known(schema)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range unlisted(used(t), known, listed(t), version) {
				t.Errorf("provider %s has no %s, and README.md does not list it", version, name)
			}
		})
	}
}

// A double is an AWS in memory.
type double struct {
	address           string
	zone, certificate string // what the owner of an account has before
}

var regions = []string{"eu-central-1", "eu-west-1"} // of the examples

var doubled = []string{"envs/prod", "envs/dev", "bootstrap"}

// TestDouble makes bootstrap and the environments in a double of AWS with a real provider,
// plans again, destroys, and asks what is left. A run is nearly all waiting: the provider
// gives a database minutes to appear, and the double does not need them.
func TestDouble(t *testing.T) {
	all := versions(t)
	needDouble(t)
	var mutex sync.Mutex
	var results []result
	t.Run("roots", func(t *testing.T) {
		for _, version := range all {
			for _, root := range doubled {
				t.Run(version+"/"+root, func(t *testing.T) {
					t.Parallel()
					done := runInDouble(t, version, root)
					mutex.Lock()
					defer mutex.Unlock()
					results = append(results, done)
				})
			}
		}
	})
	if len(results) == len(all)*len(doubled) { // else what is missing may be in those that failed or were not chosen
		checkLists(t, results)
	}
}

// A result is what one run in the double showed.
type result struct {
	made    map[string][]string // by region and kind
	excused []gap
}

func runInDouble(t *testing.T, version, root string) result {
	t.Helper()
	d := startDouble(t)
	w := openTest(t)
	w.useVersion(t, version)
	w.suit(t, d, root)
	name := "bourse-" + filepath.Base(root)
	before := d.holdings(t, name)
	if err := w.prepare(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	if _, err := w.apply(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	done := result{made: added(before, d.holdings(t, name)), excused: w.planAgain(t, root)}
	if w.dispose(t, root) {
		w.applyDisposable(t, root)
	}
	destroy(t, w, root)
	for of, names := range added(before, d.holdings(t, name)) {
		t.Errorf("destroy left %s: %v", of, names)
	}
	t.Logf("%d kinds of things were made, and %d changes of a second plan excused", len(done.made), len(done.excused))
	return done
}

// checkLists sees that no list here looks for what is never there, or excuses what no longer
// needs it.
func checkLists(t *testing.T, results []result) {
	t.Helper()
	seen, met := map[string]bool{}, map[gap]bool{}
	for _, r := range results {
		for of := range r.made {
			_, kind, _ := strings.Cut(of, " ")
			seen[kind] = true
		}
		for _, g := range r.excused {
			met[g] = true
		}
	}
	for kind := range listings {
		if seen[kind] == (unseen[kind] != "") {
			t.Errorf("%s: made: %v, and listed as never made: %q", kind, seen[kind], unseen[kind])
		}
	}
	for _, g := range forgets {
		if !met[g] {
			t.Errorf("%s of %s is excused and no longer forgotten", g.attribute, g.kind)
		}
	}
}

// TestDoubleShowsLeftovers makes what a service may leave behind, and looks for it.
func TestDoubleShowsLeftovers(t *testing.T) {
	needDouble(t)
	d := startDouble(t)
	before := d.holdings(t, "bourse-dev")
	const id = `^(.+)$`
	d.list(t, regions[0], call("logs", "Logs_20140328.CreateLogGroup", `{"logGroupName":"/aws/eks/bourse-dev/cluster"}`, id))
	d.list(t, regions[0], ec2("CreateVolume&Size=1&AvailabilityZone=eu-central-1a", id))
	d.list(t, regions[1], call("kms", "TrentService.CreateKey", `{}`, id))
	d.list(t, regions[1], ec2("CreateNetworkInterface&SubnetId="+before[regions[1]+" subnets"][0], id))
	found := slices.Sorted(maps.Keys(added(before, d.holdings(t, "bourse-dev"))))
	want := []string{"eu-central-1 log groups", "eu-central-1 volumes", "eu-west-1 keys", "eu-west-1 network interfaces"}
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

func needDouble(t *testing.T) {
	t.Helper()
	if os.Getenv("BOURSE_TEST_AWS") == "" {
		t.Skip("BOURSE_TEST_AWS is not set: there is no double of AWS for this test")
	}
}

// added are the kinds of which there is more than before, with the names.
func added(before, after map[string][]string) map[string][]string {
	more := map[string][]string{}
	for of, names := range after {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(before[of], name) })
		if len(names) > 0 {
			more[of] = names
		}
	}
	return more
}

// suit changes a copy for the double: the address, what it cannot do, and the names of what
// is there before.
func (w *workspace) suit(t *testing.T, d double, root string) {
	t.Helper()
	w.env = append(w.env, "AWS_ENDPOINT_URL="+d.address, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	for _, l := range cannot {
		l.cut(t, w)
	}
	// It has one address for all buckets, and what it does not know it will not know later.
	const settings = "  s3_use_path_style = true\n  max_retries = 2\n}\n"
	override := "provider \"aws\" {\n" + settings
	if root != "bootstrap" {
		override += "provider \"aws\" {\n  alias = \"replica\"\n" + settings
	}
	if err := os.WriteFile(filepath.Join(w.path(root), "double_override.tf"), []byte(override), 0o600); err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join(w.path(root), "terraform.tfvars.example"))
	if err != nil {
		t.Fatal(err)
	}
	own := regexp.MustCompile(`arn:aws:acm:[^"]+`).ReplaceAllString(string(example), d.certificate)
	own = regexp.MustCompile(`(zone_id = )"[^"]+"`).ReplaceAllString(own, `$1"`+d.zone+`"`)
	if err := os.WriteFile(filepath.Join(w.path(root), "terraform.tfvars"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
}

// dispose does what README.md says comes before the destroy of an environment that AWS
// protects: it sets disposable. It says whether that was a change.
func (w *workspace) dispose(t *testing.T, root string) bool {
	t.Helper()
	path := filepath.Join(w.path(root), "environment.tf")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	disposable := strings.Replace(string(text), "disposable = false", "disposable = true", 1)
	if err := os.WriteFile(path, []byte(disposable), 0o600); err != nil {
		t.Fatal(err)
	}
	return disposable != string(text)
}

// applyDisposable applies to the modules that read disposable. Others would get again what the
// double forgot of them, and it cannot change a node group's version.
func (w *workspace) applyDisposable(t *testing.T, root string) {
	t.Helper()
	bill, err := os.ReadFile(filepath.Join(w.path(root), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	args, err := w.values(root)
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(bill), "\nmodule \"") {
		if name, block, _ := strings.Cut(part, "\""); strings.Contains(block, "local.disposable") {
			args = append(args, "-target=module."+name)
		}
	}
	if _, err := w.terraform(t.Context(), root, append([]string{"apply", "-auto-approve"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

func startDouble(t *testing.T) double {
	t.Helper()
	server := exec.CommandContext(t.Context(), "python3", filepath.Join(os.Getenv("BOURSE_TEST_AWS"), "server.py"), "--port", "0")
	server.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the context of the test kills it
	line, err := bufio.NewReader(out).ReadString('\n')
	d := double{address: regexp.MustCompile(`http://[^\s/]+`).FindString(line)}
	if err != nil || d.address == "" {
		t.Fatalf("the double of AWS says %q: %v", line, err)
	}
	zone := listing{
		service: "route53", method: "POST", path: "/2013-04-01/hostedzone", names: regexp.MustCompile(`<Id>/hostedzone/([^<]+)`),
		body: `<CreateHostedZoneRequest><Name>example.com</Name><CallerReference>test</CallerReference></CreateHostedZoneRequest>`,
	}
	d.zone = d.list(t, regions[0], zone)[0]
	certificate := call("acm", "CertificateManager.RequestCertificate", `{"DomainName":"bourse.example.com"}`, `"CertificateArn": ?"([^"]+)`)
	d.certificate = d.list(t, regions[0], certificate)[0]
	return d
}
