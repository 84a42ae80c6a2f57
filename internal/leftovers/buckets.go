package leftovers

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucketForm is what the modules call buckets: what is in it, the account, and for the
// copy in the second region an ending.
func (o owner) bucketForm() *regexp.Regexp {
	return regexp.MustCompile("^" + regexp.QuoteMeta(o.name) + `-(archive|alb-logs|state)-\d{12}(-replica)?$`)
}

// stateBucket is bootstrap's, of all environments.
var stateBucket = regexp.MustCompile(`^bourse-state-\d{12}$`)

// buckets finds the environment's, in whatever region they are. What is locked stays,
// and so does the state.
func (r region) buckets(ctx context.Context) ([]Finding, error) {
	client := s3.NewFromConfig(r.aws)
	form := r.bucketForm()
	var found []Finding
	var failed []error
	// A limit makes the answer come in pages, and with the buckets' regions.
	input := &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)}
	next := func(page *s3.ListBucketsOutput) *string { return page.ContinuationToken }
	for page, err := range pages(ctx, client.ListBuckets, input, &input.ContinuationToken, next) {
		if err != nil {
			return found, err
		}
		for _, bucket := range page.Buckets {
			name := aws.ToString(bucket.Name)
			match := form.FindStringSubmatch(name)
			isState := stateBucket.MatchString(name) || match != nil && match[1] == "state"
			if match == nil && !isState {
				continue
			}
			f := Finding{State: Left, ID: name, Why: "its name", arns: []string{"arn:aws:s3:::" + name}, Since: aws.ToTime(bucket.CreationDate), Cost: "by what is in it"}
			if isState {
				f.State, f.Why = Kept, "the state of Terraform"
			} else if locked, err := isLocked(ctx, client, bucket); err != nil {
				failed = append(failed, fmt.Errorf("object lock of %s: %w", name, told(err)))
			} else if locked {
				f.State, f.Why = Kept, "its objects are locked"
			}
			found = append(found, f)
		}
	}
	return found, errors.Join(failed...)
}

func isLocked(ctx context.Context, client *s3.Client, bucket types.Bucket) (bool, error) {
	out, err := client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket.Name}, func(o *s3.Options) {
		if bucket.BucketRegion != nil {
			o.Region = *bucket.BucketRegion // S3 answers for a bucket in its own region only
		}
	})
	if coded(err, "ObjectLockConfigurationNotFoundError") {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// Without a rule of the bucket objects are locked one by one, which nothing here does.
	return out.ObjectLockConfiguration != nil && out.ObjectLockConfiguration.Rule != nil, nil
}
