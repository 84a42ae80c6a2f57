package leftovers

import (
	"context"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
)

// lookedAt are ARNs of the kinds that have a look of their own by tag. It is the truth of
// the moment, where the index of tags still names what was deleted minutes ago. A
// load balancer without app, net or gwy in its ARN is a classic one, which has none.
var lookedAt = regexp.MustCompile(`^arn:[^:]+:(` +
	`ec2:[^:]*:[^:]*:(instance|launch-template|network-interface|security-group|snapshot|volume)/` +
	`|ec2:[^:]*:[^:]*:security-group-rule/` + // goes with its group
	`|elasticloadbalancing:[^:]*:[^:]*:(loadbalancer/(app|net|gwy)|targetgroup|listener|listener-rule)/` +
	`|autoscaling:|kms:)`)

// taggedResources finds whatever else carries the environment's tags: NAT gateways,
// addresses, queues, repositories, what Terraform lost from its state.
func (r region) taggedResources(ctx context.Context) ([]Finding, error) {
	found, err := r.tagged(ctx, "")
	return slices.DeleteFunc(found, func(f Finding) bool { return lookedAt.MatchString(f.ID) }), err
}

// tagged returns the resources of a type, or of all, that have one of the owner's tags,
// by their ARNs. One request can ask for one tag.
func (r region) tagged(ctx context.Context, kind string) ([]Finding, error) {
	client := tagging.NewFromConfig(r.aws)
	queries := []types.TagFilter{{Key: aws.String("environment"), Values: r.environments()}}
	for _, tag := range r.clusterTags() {
		queries = append(queries, types.TagFilter{Key: &tag[0], Values: []string{tag[1]}})
	}
	var found []Finding
	for _, query := range queries {
		input := &tagging.GetResourcesInput{TagFilters: []types.TagFilter{query}}
		if kind != "" {
			input.ResourceTypeFilters = []string{kind}
		}
		next := func(page *tagging.GetResourcesOutput) *string { return page.PaginationToken }
		for page, err := range pages(ctx, client.GetResources, input, &input.PaginationToken, next) {
			if err != nil {
				return found, err
			}
			for _, resource := range page.ResourceTagMappingList {
				arn := aws.ToString(resource.ResourceARN)
				why, _, ok := r.owns(tagMap(resource.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value }))
				if ok && !slices.ContainsFunc(found, func(f Finding) bool { return f.ID == arn }) {
					found = append(found, Finding{State: Left, ID: arn, Why: why})
				}
			}
		}
	}
	return found, nil
}
