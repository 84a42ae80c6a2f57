package leftovers

import (
	"context"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// autoScalingGroups finds the groups of managed nodes. One that is forgotten starts
// instances for ever.
func (r region) autoScalingGroups(ctx context.Context) ([]Finding, error) {
	client := autoscaling.NewFromConfig(r.aws)
	var found []Finding
	input := &autoscaling.DescribeAutoScalingGroupsInput{}
	next := func(page *autoscaling.DescribeAutoScalingGroupsOutput) *string { return page.NextToken }
	for page, err := range pages(ctx, client.DescribeAutoScalingGroups, input, &input.NextToken, next) {
		if err != nil {
			return found, err
		}
		for _, group := range page.AutoScalingGroups {
			why, aside, ok := r.owns(tagMap(group.Tags, func(t types.TagDescription) (*string, *string) { return t.Key, t.Value }))
			if !ok {
				continue
			}
			f := Finding{State: Left, ID: aws.ToString(group.AutoScalingGroupName), Why: why, Since: aws.ToTime(group.CreatedTime), Cost: "by its instances"}
			if aside {
				f.remove = func(ctx context.Context) error {
					_, err := client.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{
						AutoScalingGroupName: group.AutoScalingGroupName, ForceDelete: aws.Bool(true), // with its instances
					})
					return err
				}
			}
			found = append(found, f)
		}
	}
	return found, nil
}

type instances struct {
	ec2Page
	Instances []struct {
		ID         string    `xml:"instanceId"`
		Type       string    `xml:"instanceType"`
		LaunchTime time.Time `xml:"launchTime"`
		Tags       ec2Tags   `xml:"tagSet>item"`
	} `xml:"reservationSet>item>instancesSet>item"`
}

func (r region) instances(ctx context.Context) ([]Finding, error) {
	client := r.ec2()
	// Those that are terminated are shown for another hour.
	there := url.Values{
		"Filter.1.Name":    {"instance-state-name"},
		"Filter.1.Value.1": {"pending"}, "Filter.1.Value.2": {"running"}, "Filter.1.Value.3": {"stopping"}, "Filter.1.Value.4": {"stopped"},
	}
	var found []Finding
	for page, err := range answers[instances](ctx, client, "DescribeInstances", there) {
		if err != nil {
			return found, err
		}
		for _, instance := range page.Instances {
			why, aside, ok := r.owns(instance.Tags.byKey())
			if !ok {
				continue
			}
			f := Finding{State: Left, ID: instance.ID, Why: joined(why, instance.Type), Since: instance.LaunchTime, Cost: "by the hour"}
			if aside {
				f.remove = func(ctx context.Context) error {
					return client.call(ctx, "TerminateInstances", url.Values{"InstanceId.1": {f.ID}}, nil)
				}
			}
			found = append(found, f)
		}
	}
	return found, nil
}

type launchTemplates struct {
	ec2Page
	Templates []struct {
		ID         string    `xml:"launchTemplateId"`
		Name       string    `xml:"launchTemplateName"`
		CreateTime time.Time `xml:"createTime"`
		Tags       ec2Tags   `xml:"tagSet>item"`
	} `xml:"launchTemplates>item"`
}

// launchTemplates finds EKS's own copies of the nodes' template.
func (r region) launchTemplates(ctx context.Context) ([]Finding, error) {
	client := r.ec2()
	var found []Finding
	for page, err := range answers[launchTemplates](ctx, client, "DescribeLaunchTemplates", nil) {
		if err != nil {
			return found, err
		}
		for _, template := range page.Templates {
			why, aside, ok := r.owns(template.Tags.byKey())
			if !ok {
				continue
			}
			f := Finding{State: Left, ID: template.ID, Why: joined(why, template.Name), Since: template.CreateTime}
			if aside {
				f.remove = func(ctx context.Context) error {
					return client.call(ctx, "DeleteLaunchTemplate", url.Values{"LaunchTemplateId": {f.ID}}, nil)
				}
			}
			found = append(found, f)
		}
	}
	return found, nil
}

type volumes struct {
	ec2Page
	Volumes []struct {
		ID         string    `xml:"volumeId"`
		Status     string    `xml:"status"`
		Size       int32     `xml:"size"` // GiB
		CreateTime time.Time `xml:"createTime"`
		Tags       ec2Tags   `xml:"tagSet>item"`
	} `xml:"volumeSet>item"`
}

// volumes finds those of the volume driver whose claims outlived their cluster, and
// disks of nodes. They may hold data: they are named only.
func (r region) volumes(ctx context.Context) ([]Finding, error) {
	var found []Finding
	for page, err := range answers[volumes](ctx, r.ec2(), "DescribeVolumes", nil) {
		if err != nil {
			return found, err
		}
		for _, volume := range page.Volumes {
			if why, _, ok := r.owns(volume.Tags.byKey()); ok {
				found = append(found, Finding{
					State: Left, ID: volume.ID, Why: joined(why, volume.Status), Since: volume.CreateTime, Cost: gib(volume.Size),
				})
			}
		}
	}
	return found, nil
}

type volumeSnapshots struct {
	ec2Page
	Snapshots []struct {
		ID         string    `xml:"snapshotId"`
		VolumeID   string    `xml:"volumeId"`
		VolumeSize int32     `xml:"volumeSize"` // GiB
		StartTime  time.Time `xml:"startTime"`
		Tags       ec2Tags   `xml:"tagSet>item"`
	} `xml:"snapshotSet>item"`
}

func (r region) volumeSnapshots(ctx context.Context) ([]Finding, error) {
	own := url.Values{"Owner.1": {"self"}} // else all that anybody made public
	var found []Finding
	for page, err := range answers[volumeSnapshots](ctx, r.ec2(), "DescribeSnapshots", own) {
		if err != nil {
			return found, err
		}
		for _, snapshot := range page.Snapshots {
			if why, _, ok := r.owns(snapshot.Tags.byKey()); ok {
				found = append(found, Finding{
					State: Left, ID: snapshot.ID, Why: joined(why, "of "+snapshot.VolumeID),
					Since: snapshot.StartTime, Cost: "up to " + gib(snapshot.VolumeSize),
				})
			}
		}
	}
	return found, nil
}
