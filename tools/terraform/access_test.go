package main

import (
	"slices"
	"strings"
)

var accessRules = []rule{
	{"no star on star", noStarOnStar},
	{"no open principal", noOpenPrincipal},
	{"narrow trust", narrowTrust},
	{"pod identity", podIdentity},
	{"github subjects", githubSubjects},
}

// unscoped are actions that may be allowed on *, by how they begin, each with its reason
// (AWS's Service Authorization Reference).
var unscoped = map[string]string{
	"autoscaling:Describe": "Auto Scaling limits no Describe to a resource",
	"ec2:Describe":         "EC2 limits no Describe to a resource",
	"ec2:GetInstanceTypesFromInstanceRequirements": "names types, not resources",
	"elasticloadbalancing:Describe":                "Elastic Load Balancing limits no Describe to a resource",
	"logs:DescribeLogGroups":                       "lists the groups of the role's own account, whatever its resource",
	"xray:Put":                                     "X-Ray has no resources to put traces into",
}

func isUnscoped(action string) bool {
	for beginning := range unscoped {
		if strings.HasPrefix(action, beginning) {
			return true
		}
	}
	return false
}

// wide are statements of the roles that a pipeline takes, which make what is not there yet:
// their resources are as their reasons say. No role of a running program is among them.
var wide = map[string]string{
	"aws_iam_policy.keys Keys":      "a key's ARN is a number that AWS makes; limited to the two regions",
	"aws_iam_policy.manage Global":  "budgets and records have no name of an environment",
	"aws_iam_policy.manage Named":   "whatever begins with the environment's name is the pipeline's to change",
	"aws_iam_policy.manage WithIDs": "ARNs with numbers that AWS makes; limited to the two regions",
	"aws_iam_policy.read Settings":  "a plan reads the settings of all, and no objects, secrets or logs",
}

func isWide(p policy, s statement) bool {
	return wide[keys.ReplaceAllString(p.of.Address, "")+" "+s.Sid] != ""
}

// scopes are condition keys that limit an action where its resource cannot.
var scopes = []string{
	"aws:ResourceTag/", "aws:RequestTag/", "aws:ResourceAccount", "aws:SourceVpc", "cloudwatch:namespace", "ec2:CreateAction", "ec2:ResourceTag/",
	"ec2:Vpc", "iam:AWSServiceName", "iam:PassedToService", "kms:EncryptionContext:", "kms:GrantIsForAWSResource", "kms:ViaService", "logs:LogGeneratingResourceArns",
}

// noStarOnStar: what a role may do is said, action by action, and on what.
func noStarOnStar(e *estate, r *report) {
	for _, p := range e.policies() {
		for _, s := range p.statements {
			if s.Effect != "Allow" || p.trust() || isWide(p, s) {
				continue
			}
			r.want(s.NotAction == nil && s.NotResource == nil, p.of, "allows all but some (NotAction, NotResource) in %q", s.Sid)
			for _, action := range s.Action {
				all := action == "*" || strings.HasSuffix(action, ":*")
				if p.identity() {
					r.want(!all, p.of, "allows %s in %q", action, s.Sid)
					r.want(!slices.Contains(s.Resource, "*") || isUnscoped(action) || s.narrowed(scopes...), p.of, "allows %s on * in %q", action, s.Sid)
				} else {
					r.want(!all || ownersKey(p, s, action), p.of, "allows %s in %q", action, s.Sid)
				}
			}
		}
	}
}

// ownersKey is the statement that every key needs: without it nobody could change the key's
// policy again. It gives the key to the account, whose own policies then decide.
func ownersKey(p policy, s statement, action string) bool {
	if action != "kms:*" || !slices.Contains([]string{"aws_kms_key", "aws_kms_key_policy", "aws_kms_replica_key"}, p.of.Type) || len(s.Principal) != 1 {
		return false
	}
	return len(s.Principal["AWS"]) == 1 && strings.HasSuffix(s.Principal["AWS"][0], ":root")
}

// noOpenPrincipal: nobody outside is let in, unless a condition says who.
func noOpenPrincipal(e *estate, r *report) {
	for _, p := range e.policies() {
		for _, s := range p.statements {
			if s.Effect != "Allow" || p.identity() {
				continue
			}
			r.want(len(s.NotPrincipal) == 0, p.of, "allows all but some (NotPrincipal) in %q", s.Sid)
			for kind, who := range s.Principal {
				open := slices.ContainsFunc(who, func(name string) bool { return strings.Contains(name, "*") })
				r.want(!open || s.narrowed("aws:SourceArn", "aws:SourceAccount", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "kms:CallerAccount"),
					p.of, "lets in any %s principal in %q", kind, s.Sid)
			}
		}
	}
}

// withoutSource are services whose roles are passed to them within the account, by
// iam:PassRole, and for which AWS's own trust policies have no condition.
var withoutSource = []string{"backup.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com", "s3.amazonaws.com"}

// narrowTrust: a role is for one service or one repository, and a service that serves many
// accounts must come from ours.
func narrowTrust(e *estate, r *report) {
	for _, p := range e.policies() {
		if !p.trust() {
			continue
		}
		for _, s := range p.statements {
			r.want(s.Effect == "Allow" && len(s.Principal) == 1, p.of, "trusts more than one kind of principal, or denies")
			for kind, who := range s.Principal {
				r.want(kind == "Service" || kind == "Federated", p.of, "trusts %s %s", kind, who)
				r.want(len(who) == 1 && !strings.Contains(who[0], "*"), p.of, "trusts %s: one service, by its name", who)
				for _, action := range s.Action {
					r.want(slices.Contains([]string{"sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"}, action), p.of, "trusts to %s", action)
				}
				if kind == "Service" && !slices.Contains(withoutSource, who[0]) {
					r.want(s.narrowed("aws:SourceAccount", "aws:SourceArn"), p.of, "trusts %s for any account: needs aws:SourceAccount or aws:SourceArn", who[0])
				}
			}
		}
	}
}

// podIdentity: without sts:TagSession the agent gets no credentials at all; without the
// cluster's ARN any cluster of the account could use the role.
func podIdentity(e *estate, r *report) {
	for _, p := range e.policies() {
		for _, s := range p.statements {
			if !p.trust() || !slices.Contains(s.Principal["Service"], "pods.eks.amazonaws.com") {
				continue
			}
			for _, action := range []string{"sts:AssumeRole", "sts:TagSession"} {
				r.want(slices.Contains(s.Action, action), p.of, "does not let EKS Pod Identity %s", action)
			}
			for _, key := range []string{"aws:SourceAccount", "aws:SourceArn"} {
				r.want(s.narrowed(key), p.of, "does not say which %s Pod Identity comes from", key)
			}
		}
	}
}

const githubSubject = "token.actions.githubusercontent.com:sub"

// githubSubjects: GitHub gives a repository's workflows one of two forms of name. Both must
// be there, in full.
func githubSubjects(e *estate, r *report) {
	for _, p := range e.policies() {
		for _, s := range p.statements {
			if !p.trust() || s.Principal["Federated"] == nil {
				continue
			}
			subjects, operators := s.values(githubSubject)
			r.want(len(operators) == 1 && operators[0] == "StringEquals", p.of, "compares the subject by %s, not by StringEquals alone", operators)
			audience, operators := s.values("token.actions.githubusercontent.com:aud")
			r.want(slices.Equal(audience, []string{"sts.amazonaws.com"}) && slices.Equal(operators, []string{"StringEquals"}), p.of, "is for the audience %s", audience)
			forms := map[bool]map[string]bool{true: {}, false: {}} // by "with numbers": what follows the repository
			for _, subject := range subjects {
				r.want(!strings.ContainsAny(subject, "*?"), p.of, "has a wildcard in the subject %s", subject)
				parts := strings.SplitN(subject, ":", 3)
				if len(parts) != 3 || parts[0] != "repo" || !strings.HasPrefix(parts[2], "environment:") {
					r.want(false, p.of, "has the subject %s, which names no repository's environment", subject)
					continue
				}
				forms[strings.Contains(parts[1], "@")][parts[2]] = true
			}
			r.want(len(forms[true]) == 1 && len(forms[false]) == 1, p.of, "has the subjects %s: want one environment in the old form and in the new", subjects)
			for place := range forms[true] {
				r.want(forms[false][place], p.of, "has the subjects %s: their environments differ", subjects)
			}
		}
	}
}
