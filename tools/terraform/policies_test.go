package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// A policy is an IAM policy as it stands in an attribute of a resource.
type policy struct {
	of         resource
	attribute  string
	statements []statement
}

type statement struct {
	Sid, Effect                              string
	Principal                                principals
	NotPrincipal                             principals
	Action, NotAction, Resource, NotResource many
	Condition                                map[string]map[string]many
}

// many is a string or a list of strings, as IAM lets each of them be.
type many []string

func (m *many) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*m = many{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(m))
}

// principals are by kind: AWS, Service, Federated; "*" alone is anyone.
type principals map[string]many

func (p *principals) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		*p = principals{"*": {"*"}}
		return nil
	}
	return json.Unmarshal(text, (*map[string]many)(p))
}

// policies finds every policy of the estate, whatever the attribute is called.
func (e *estate) policies() []policy {
	var found []policy
	for _, r := range e.resources {
		if r.Mode != "managed" {
			continue
		}
		walkTexts(r.Values, "", func(attribute, text string) {
			if p, ok := parsePolicy(text); ok {
				found = append(found, policy{r, attribute, p})
			}
		})
	}
	return found
}

func parsePolicy(text string) ([]statement, bool) {
	if !strings.Contains(text, `"Statement"`) {
		return nil, false
	}
	var list struct{ Statement []statement }
	if json.Unmarshal([]byte(text), &list) == nil {
		return list.Statement, true
	}
	var one struct{ Statement statement }
	if json.Unmarshal([]byte(text), &one) == nil {
		return []statement{one.Statement}, true
	}
	return nil, false
}

func walkTexts(value any, path string, visit func(path, text string)) {
	switch v := value.(type) {
	case string:
		visit(path, v)
	case []any:
		for _, item := range v {
			walkTexts(item, path, visit)
		}
	case map[string]any:
		for name, item := range v {
			walkTexts(item, strings.TrimPrefix(path+"."+name, "."), visit)
		}
	}
}

// trust says who may be a role; an identity policy says what the role may do; any other
// policy belongs to what it protects, and its resource "*" is that.
func (p policy) trust() bool { return p.attribute == "assume_role_policy" }

func (p policy) identity() bool {
	return slices.Contains([]string{"aws_iam_role_policy", "aws_iam_policy", "aws_iam_role"}, p.of.Type) && !p.trust()
}

// values are all that a condition on a key allows, with the operators it is tested by.
func (s statement) values(key string) (values, operators []string) {
	for operator, tests := range s.Condition {
		for k, v := range tests {
			if strings.EqualFold(k, key) {
				values, operators = append(values, v...), append(operators, operator)
			}
		}
	}
	return values, operators
}

// narrowed says whether one of the keys is tested for values that are not open themselves.
func (s statement) narrowed(keys ...string) bool {
	for operator, tests := range s.Condition {
		if strings.HasSuffix(operator, "IfExists") || strings.Contains(operator, "Not") || operator == "Null" {
			continue
		}
		for key, values := range tests {
			open := slices.ContainsFunc(values, func(v string) bool { return strings.Trim(v, "*") == "" })
			if !open && slices.ContainsFunc(keys, func(k string) bool {
				return strings.EqualFold(key, k) || strings.HasSuffix(k, "/") && strings.HasPrefix(strings.ToLower(key), strings.ToLower(k))
			}) {
				return true
			}
		}
	}
	return false
}

func TestPoliciesAreRead(t *testing.T) {
	e := &estate{resources: []resource{{Mode: "managed", Type: "aws_iam_role", Values: map[string]any{
		"assume_role_policy": `{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}`,
		"inline_policy":      []any{map[string]any{"policy": `{"Statement": [{"Effect": "Allow", "Action": ["a:B"], "Resource": "*"}]}`}},
	}}}}
	found := e.policies()
	if len(found) != 2 {
		t.Fatalf("%d policies found; want both forms, at the top and in a block", len(found))
	}
	for _, p := range found {
		s := p.statements[0]
		if p.trust() && s.Principal["*"] == nil || p.identity() && (s.Action[0] != "a:B" || s.Resource[0] != "*") {
			t.Errorf("%s read as %+v", p.attribute, s)
		}
	}
}

func TestNarrowed(t *testing.T) {
	for name, c := range map[string]struct {
		condition string
		want      bool
	}{
		"a value":               {`{"StringEquals": {"aws:SourceAccount": "123456789012"}}`, true},
		"the key in other case": {`{"ArnLike": {"AWS:SourceArn": ["arn:aws:s3:::b"]}}`, true},
		"a star":                {`{"StringLike": {"aws:SourceAccount": "*"}}`, false},
		"only if it is there":   {`{"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}`, false},
		"all but one":           {`{"StringNotEquals": {"aws:SourceAccount": "123456789012"}}`, false},
		"another key":           {`{"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}`, false},
	} {
		var s statement
		if err := json.Unmarshal([]byte(c.condition), &s.Condition); err != nil {
			t.Fatal(err)
		}
		if got := s.narrowed("aws:SourceAccount", "aws:SourceArn"); got != c.want {
			t.Errorf("%s: narrowed is %t, want %t", name, got, c.want)
		}
	}
}
