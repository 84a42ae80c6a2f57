package leftovers

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
)

// clusters finds the cluster itself. While it is there the environment is not destroyed,
// and what its controllers made is in use.
func (r region) clusters(ctx context.Context) ([]Finding, error) {
	out, err := eks.NewFromConfig(r.aws).DescribeCluster(ctx, &eks.DescribeClusterInput{Name: &r.owner.name})
	if coded(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []Finding{{
		State: Left, ID: r.owner.name, Why: joined("its name", string(out.Cluster.Status)), arns: []string{aws.ToString(out.Cluster.Arn)},
		Since: aws.ToTime(out.Cluster.CreatedAt), Cost: "by the hour",
	}}, nil
}
