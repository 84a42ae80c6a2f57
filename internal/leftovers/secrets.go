package leftovers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// secrets finds the environment's and the database's master secret, which is RDS's. One
// that waits for its deletion can be had back until then, and costs nothing.
func (r region) secrets(ctx context.Context) ([]Finding, error) {
	client := secretsmanager.NewFromConfig(r.aws)
	input := &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)}
	var found []Finding
	next := func(page *secretsmanager.ListSecretsOutput) *string { return page.NextToken }
	for page, err := range pages(ctx, client.ListSecrets, input, &input.NextToken, next) {
		if err != nil {
			return found, err
		}
		for _, secret := range page.SecretList {
			tags := tagMap(secret.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
			why, _, ok := r.owns(tags)
			if strings.HasPrefix(aws.ToString(secret.Name), r.owner.name+"/") {
				why, ok = "its name", true
			} else if strings.HasSuffix(tags["aws:rds:primaryDBInstanceArn"], ":db:"+r.owner.name) {
				why, ok = "master secret of the database", true
			}
			if !ok {
				continue
			}
			f := Finding{
				State: Left, ID: aws.ToString(secret.Name), Why: why, arns: []string{aws.ToString(secret.ARN)},
				Since: aws.ToTime(secret.CreatedDate), Cost: "by the month",
			}
			if secret.DeletedDate != nil {
				f.State, f.Why, f.Cost = Going, "deletion is scheduled", ""
			}
			found = append(found, f)
		}
	}
	return found, nil
}

// keys finds KMS keys by their tags, since a key has no name once its alias is gone. A
// key is deleted after a waiting time only, and costs nothing in it.
func (r region) keys(ctx context.Context) ([]Finding, error) {
	arns, err := r.tagged(ctx, "kms:key")
	if err != nil {
		return nil, err
	}
	client := kms.NewFromConfig(r.aws)
	var found []Finding
	for _, resource := range arns {
		out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &resource.ID})
		if coded(err, "NotFoundException") {
			continue // the index of tags lags behind
		}
		if err != nil {
			return found, fmt.Errorf("%s: %w", resource.ID, told(err))
		}
		key := out.KeyMetadata
		f := Finding{
			State: Left, ID: aws.ToString(key.KeyId), Why: joined(resource.Why, aws.ToString(key.Description)),
			arns: []string{resource.ID}, Since: aws.ToTime(key.CreationDate), Cost: "by the month",
		}
		if key.KeyState == kmstypes.KeyStatePendingDeletion || key.KeyState == kmstypes.KeyStatePendingReplicaDeletion {
			f.State, f.Cost = Going, ""
			if key.DeletionDate != nil {
				f.Why = joined(f.Why, "deletion on "+key.DeletionDate.UTC().Format(time.DateOnly))
			}
		}
		found = append(found, f)
	}
	return found, nil
}
