package leftovers

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// logNames are the names of log groups that AWS makes for the environment. One that
// ends in a slash stands for all that begin with it.
func (o owner) logNames() []string {
	return []string{
		"/aws/eks/" + o.name + "/",
		"/aws/containerinsights/" + o.name + "/",
		"/aws/lambda/" + o.function(),
		"/aws/rds/instance/" + o.name + "/",
		"/aws/vpc/" + o.name + "/",
		"aws-waf-logs-" + o.name,
	}
}

// logGroups finds log groups by name: one that AWS makes again for a line that came
// late has no tags, no key and no end.
func (r region) logGroups(ctx context.Context) ([]Finding, error) {
	client := cloudwatchlogs.NewFromConfig(r.aws)
	var found []Finding
	for _, name := range r.logNames() {
		input := &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &name}
		next := func(page *cloudwatchlogs.DescribeLogGroupsOutput) *string { return page.NextToken }
		for page, err := range pages(ctx, client.DescribeLogGroups, input, &input.NextToken, next) {
			if err != nil {
				return found, err
			}
			for _, group := range page.LogGroups {
				id := aws.ToString(group.LogGroupName)
				if id != name && !strings.HasSuffix(name, "/") {
					continue // bourse-dev2-ingest begins with bourse-dev, another's function with ours
				}
				found = append(found, Finding{
					State: Left, ID: id, Why: "its name", arns: []string{strings.TrimSuffix(aws.ToString(group.Arn), ":*")},
					Since: time.UnixMilli(aws.ToInt64(group.CreationTime)), Cost: mib(aws.ToInt64(group.StoredBytes)),
					remove: func(ctx context.Context) error {
						_, err := client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &id})
						return err
					},
				})
			}
		}
	}
	return found, nil
}
