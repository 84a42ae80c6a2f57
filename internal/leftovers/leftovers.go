// Package leftovers finds what an AWS account still has of an environment after
// `terraform destroy`: what AWS and the controllers of the cluster made on the side,
// and so is in no state of Terraform. Log groups come again when a last line is written
// after their group was deleted, load balancers of Services lose the controller that
// would have deleted them, network interfaces are held for a while, snapshots stay.
//
// It looks at one kind of resource after the other. What belongs to the environment is
// told by the tags that its maker gave it, or by a name that nothing else can have; a
// kind that cannot be looked at is reported as such and never taken for clean.
package leftovers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

// State says what a finding means for the destroyed environment.
type State string

// Only Left is something to do.
const (
	Left  State = "left"
	Kept  State = "kept"  // it outlives the environment on purpose
	Going State = "going" // AWS deletes it at a set time
)

// Finding is one resource of the environment that the account still has.
type Finding struct {
	State  State
	Region string
	Kind   string
	ID     string
	Why    string    // by what it belongs to the environment
	Since  time.Time // zero where AWS does not say
	Cost   string    // what it is charged by, "" where it costs nothing or it is not known

	arns   []string                    // of the resource, or of all that this line stands for
	remove func(context.Context) error // nil where it is never deleted
}

// Unseen is a kind of resource that could not be looked at, at least not whole.
type Unseen struct {
	Region, Kind string
	Err          error
}

// Report is what Find saw.
type Report struct {
	Findings []Finding
	Unseen   []Unseen
}

// Left returns how many findings are to be dealt with.
func (r Report) Left() int {
	n := 0
	for _, f := range r.Findings {
		if f.State == Left {
			n++
		}
	}
	return n
}

// Config names an environment.
type Config struct {
	Name    string   // what all its names begin with, as bourse-dev
	Regions []string // its own, then that of its copies where there is one
}

var (
	nameForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,22}[a-z0-9]$`)
	regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// Check returns what is wrong with the names. They are held to the form that the
// Terraform modules take: an empty or cut one would match what is not the environment's.
func (c Config) Check() error {
	if !nameForm.MatchString(c.Name) {
		return fmt.Errorf("%q is not the name of an environment: 3 to 24 lower-case letters, digits and hyphens, as bourse-dev", c.Name)
	}
	for _, region := range c.Regions {
		if !regionForm.MatchString(region) {
			return fmt.Errorf("%q is not a region of AWS, as eu-west-1", region)
		}
	}
	return nil
}

// Account is the AWS account that the process has credentials for.
type Account struct {
	cfg      Config
	aws      aws.Config
	pause    time.Duration // between two tries to delete what is still in use
	patience time.Duration // for all of them
}

// Open finds credentials as every AWS tool does. It sends no request to the services.
func Open(ctx context.Context, cfg Config) (*Account, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	sdk, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRetryMaxAttempts(6), awsconfig.WithHTTPClient(awshttp.NewBuildableClient()))
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if _, err := sdk.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("AWS credentials: %w", err)
	}
	return &Account{cfg: cfg, aws: sdk, pause: 10 * time.Second, patience: 5 * time.Minute}, nil
}

// region looks at one region for one owner.
type region struct {
	owner
	name string
	aws  aws.Config
}

// look is how one kind of resource is found. It may return findings with an error: what
// it saw before.
type look struct {
	kind   string
	global bool // one region's answer is that of all
	find   func(region, context.Context) ([]Finding, error)
}

const (
	clusterKind  = "cluster"
	databaseKind = "database"
)

// looks are all the kinds, in the order in which they can be deleted: a load balancer
// holds its target groups, an instance its interfaces, an interface its security groups.
var looks = []look{
	{kind: clusterKind, find: region.clusters},
	{kind: databaseKind, find: region.databases},
	{kind: "load balancer", find: region.loadBalancers},
	{kind: "target group", find: region.targetGroups},
	{kind: "auto scaling group", find: region.autoScalingGroups},
	{kind: "instance", find: region.instances},
	{kind: "launch template", find: region.launchTemplates},
	{kind: "network interface", find: region.networkInterfaces},
	{kind: "security group", find: region.securityGroups},
	{kind: "log group", find: region.logGroups},
	{kind: "volume", find: region.volumes},
	{kind: "volume snapshot", find: region.volumeSnapshots},
	{kind: "database snapshot", find: region.databaseSnapshots},
	{kind: "automated backup", find: region.automatedBackups},
	{kind: "backup vault", find: region.backupVaults},
	{kind: "bucket", global: true, find: region.buckets},
	{kind: "secret", find: region.secrets},
	{kind: "key", find: region.keys},
	{kind: "tagged resource", find: region.taggedResources},
}

// Deleted returns the kinds that Delete deletes, where Terraform did not make them.
func Deleted() []string { return kinds("load balancer", "log group") }

// Named returns the kinds that Delete never deletes: they hold data, or are Terraform's.
func Named() []string {
	deleted := Deleted()
	return slices.DeleteFunc(kinds(clusterKind, "tagged resource"), func(k string) bool { return slices.Contains(deleted, k) })
}

func kinds(first, last string) []string {
	var list []string
	for _, l := range looks {
		if l.kind == first || len(list) > 0 {
			list = append(list, l.kind)
		}
		if l.kind == last {
			break
		}
	}
	return list
}

// Find looks at every kind in every region.
func (a *Account) Find(ctx context.Context) (Report, error) {
	var report Report
	for i, name := range a.cfg.Regions {
		r := region{owner: owner{a.cfg.Name}, name: name, aws: a.aws.Copy()}
		r.aws.Region = name
		for _, l := range looks {
			if l.global && i > 0 {
				continue
			}
			found, err := l.find(r, ctx)
			if ctx.Err() != nil {
				return report, ctx.Err()
			}
			if err != nil {
				report.Unseen = append(report.Unseen, Unseen{name, l.kind, told(err)})
			}
			for _, f := range found {
				if l.kind == "tagged resource" && report.has(f) {
					continue
				}
				f.Kind, f.Region = l.kind, name
				report.Findings = append(report.Findings, f)
			}
		}
	}
	return report, nil
}

// has reports whether a resource known by its ARN has been found already.
func (r Report) has(f Finding) bool {
	return slices.ContainsFunc(r.Findings, func(other Finding) bool { return slices.Contains(other.arns, f.ID) })
}

// told makes an error of the SDK readable: the service's own code and words.
func told(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return fmt.Errorf("%s: %s", answer.ErrorCode(), answer.ErrorMessage())
	}
	return err
}

// coded reports whether err is a service's answer with one of the codes.
func coded(err error, codes ...string) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && slices.Contains(codes, answer.ErrorCode())
}

// pages goes through the pages of an answer, up to an error: next takes from a page where
// it goes on, token is where the next question says so. The SDK's paginators do the same,
// but take a client as an interface. The binary has templates, which find methods by name,
// so the linker would keep all of that client's.
func pages[In, Page, Options any](
	ctx context.Context, ask func(context.Context, *In, ...func(*Options)) (*Page, error), in *In, token **string, next func(*Page) *string,
) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		for {
			page, err := ask(ctx, in)
			if !yield(page, err) || err != nil {
				return
			}
			if *token = next(page); aws.ToString(*token) == "" {
				return
			}
		}
	}
}

func gib(n int32) string { return fmt.Sprintf("%d GiB", n) }

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// joined puts the parts of a reason together, without those that are empty.
func joined(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", ")
}
