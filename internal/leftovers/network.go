package leftovers

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
)

// ec2Tags are the tags of a resource in an answer of EC2.
type ec2Tags []struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func (t ec2Tags) byKey() map[string]string {
	tags := map[string]string{}
	for _, tag := range t {
		tags[tag.Key] = tag.Value
	}
	return tags
}

type networkInterfaces struct {
	ec2Page
	Interfaces []networkInterface `xml:"networkInterfaceSet>item"`
}

type networkInterface struct {
	ID          string  `xml:"networkInterfaceId"`
	Description string  `xml:"description"`
	Status      string  `xml:"status"`
	Tags        ec2Tags `xml:"tagSet>item"`
}

// networkInterfaces finds those of pods, of the control plane and of the function. One
// in use is its user's to free: Lambda does so some 20 minutes after the function went.
func (r region) networkInterfaces(ctx context.Context) ([]Finding, error) {
	client := r.ec2()
	var found []Finding
	for page, err := range answers[networkInterfaces](ctx, client, "DescribeNetworkInterfaces", nil) {
		if err != nil {
			return found, err
		}
		for _, eni := range page.Interfaces {
			why, aside, ok := r.ownsInterface(eni)
			if !ok {
				continue
			}
			f := Finding{State: Left, ID: eni.ID, Why: joined(why, eni.Description, eni.Status)}
			if aside && eni.Status == "available" {
				f.remove = func(ctx context.Context) error {
					return client.call(ctx, "DeleteNetworkInterface", url.Values{"NetworkInterfaceId": {f.ID}}, nil)
				}
			}
			found = append(found, f)
		}
	}
	return found, nil
}

func (r region) ownsInterface(eni networkInterface) (why string, aside, ok bool) {
	if why, aside, ok := r.owns(eni.Tags.byKey()); ok {
		return why, aside, true
	}
	// The end is matched too: bourse-dev-ingest's must not be taken for those of an
	// environment bourse-dev when its function is bourse-dev-ingest-ingest.
	lambda := regexp.MustCompile("^AWS Lambda VPC ENI-" + regexp.QuoteMeta(r.function()) + "-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
	switch {
	case lambda.MatchString(eni.Description):
		return "function " + r.function(), true, true
	case eni.Description == "Amazon EKS "+r.owner.name:
		return "control plane", true, true
	}
	return "", false, false
}

// function is the name of the ingest module's Lambda function.
func (o owner) function() string { return o.name + "-ingest" }

type securityGroups struct {
	ec2Page
	Groups []securityGroup `xml:"securityGroupInfo>item"`
}

type securityGroup struct {
	ID      string        `xml:"groupId"`
	Name    string        `xml:"groupName"`
	Ingress []ingressRule `xml:"ipPermissions>item"`
	Tags    ec2Tags       `xml:"tagSet>item"`
}

type ingressRule struct {
	Protocol string `xml:"ipProtocol"`
	FromPort string `xml:"fromPort"` // "" where the protocol has no ports
	ToPort   string `xml:"toPort"`
	Groups   []struct {
		ID     string `xml:"groupId"`
		UserID string `xml:"userId"`
	} `xml:"groups>item"`
}

// securityGroups finds those that EKS and the load balancer controller made, and
// Terraform's, which it names only.
func (r region) securityGroups(ctx context.Context) ([]Finding, error) {
	client := r.ec2()
	var found []Finding
	for page, err := range answers[securityGroups](ctx, client, "DescribeSecurityGroups", nil) {
		if err != nil {
			return found, err
		}
		for _, group := range page.Groups {
			why, aside, ok := r.owns(group.Tags.byKey())
			if !ok {
				continue
			}
			f := Finding{State: Left, ID: group.ID, Why: joined(why, group.Name)}
			if aside {
				f.remove = func(ctx context.Context) error { return deleteSecurityGroup(ctx, client, group) }
			}
			found = append(found, f)
		}
	}
	return found, nil
}

// deleteSecurityGroup revokes what names other groups first: two groups whose rules name
// each other hold each other for ever.
func deleteSecurityGroup(ctx context.Context, client query, group securityGroup) error {
	if naming := group.naming(); len(naming) > 0 {
		err := client.call(ctx, "RevokeSecurityGroupIngress", naming, nil)
		if err != nil && !gone(err) { // an earlier try revoked it, or the other group went
			return err
		}
	}
	return client.call(ctx, "DeleteSecurityGroup", url.Values{"GroupId": {group.ID}}, nil)
}

// naming are the parameters that revoke the parts of rules that name groups. There are
// none where no rule does.
func (g securityGroup) naming() url.Values {
	form := url.Values{}
	rules := 0
	for _, rule := range g.Ingress {
		if len(rule.Groups) == 0 {
			continue
		}
		rules++
		name := fmt.Sprintf("IpPermissions.%d.", rules)
		form.Set("GroupId", g.ID)
		form.Set(name+"IpProtocol", rule.Protocol)
		if rule.FromPort != "" {
			form.Set(name+"FromPort", rule.FromPort)
			form.Set(name+"ToPort", rule.ToPort)
		}
		for i, other := range rule.Groups {
			form.Set(fmt.Sprintf("%sGroups.%d.GroupId", name, i+1), other.ID)
			form.Set(fmt.Sprintf("%sGroups.%d.UserId", name, i+1), other.UserID)
		}
	}
	return form
}
