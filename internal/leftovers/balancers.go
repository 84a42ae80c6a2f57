package leftovers

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// loadBalancers finds those of Services, whose controller went before it could delete
// them, and the edge's.
func (r region) loadBalancers(ctx context.Context) ([]Finding, error) {
	client := elb.NewFromConfig(r.aws)
	var all []types.LoadBalancer
	var arns []string
	input := &elb.DescribeLoadBalancersInput{}
	next := func(page *elb.DescribeLoadBalancersOutput) *string { return page.NextMarker }
	for page, err := range pages(ctx, client.DescribeLoadBalancers, input, &input.Marker, next) {
		if err != nil {
			return nil, err
		}
		for _, balancer := range page.LoadBalancers {
			all, arns = append(all, balancer), append(arns, aws.ToString(balancer.LoadBalancerArn))
		}
	}
	tags, err := balancingTags(ctx, client, arns)
	var found []Finding
	for _, balancer := range all {
		arn := aws.ToString(balancer.LoadBalancerArn)
		why, aside, ok := r.owns(tags[arn])
		if !ok {
			continue
		}
		f := Finding{
			State: Left, ID: aws.ToString(balancer.LoadBalancerName), Why: why, arns: []string{arn},
			Since: aws.ToTime(balancer.CreatedTime), Cost: "by the hour",
		}
		if aside {
			f.remove = func(ctx context.Context) error {
				_, err := client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &arn}) // with its listeners
				return err
			}
		}
		found = append(found, f)
	}
	return found, err
}

func (r region) targetGroups(ctx context.Context) ([]Finding, error) {
	client := elb.NewFromConfig(r.aws)
	names := map[string]string{}
	var arns []string
	input := &elb.DescribeTargetGroupsInput{}
	next := func(page *elb.DescribeTargetGroupsOutput) *string { return page.NextMarker }
	for page, err := range pages(ctx, client.DescribeTargetGroups, input, &input.Marker, next) {
		if err != nil {
			return nil, err
		}
		for _, group := range page.TargetGroups {
			arns = append(arns, aws.ToString(group.TargetGroupArn))
			names[aws.ToString(group.TargetGroupArn)] = aws.ToString(group.TargetGroupName)
		}
	}
	tags, err := balancingTags(ctx, client, arns)
	var found []Finding
	for _, arn := range arns {
		why, aside, ok := r.owns(tags[arn])
		if !ok {
			continue
		}
		f := Finding{State: Left, ID: names[arn], Why: why, arns: []string{arn}}
		if aside {
			f.remove = func(ctx context.Context) error {
				_, err := client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &arn})
				return err
			}
		}
		found = append(found, f)
	}
	return found, err
}

// balancingTags returns the tags of load balancers or target groups by their ARN.
func balancingTags(ctx context.Context, client *elb.Client, arns []string) (map[string]map[string]string, error) {
	tags := map[string]map[string]string{}
	for some := range slices.Chunk(arns, 20) { // as many as one request may name
		out, err := client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: some})
		if err != nil {
			return tags, err
		}
		for _, d := range out.TagDescriptions {
			tags[aws.ToString(d.ResourceArn)] = tagMap(d.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
		}
	}
	return tags, nil
}
