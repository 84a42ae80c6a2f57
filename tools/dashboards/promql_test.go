package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// labelSet is the labels that the series of an expression may have, but for their name.
type labelSet map[string]bool

func setOf(names ...string) labelSet {
	s := labelSet{}
	for _, n := range names {
		s[n] = true
	}
	return s
}

func (s labelSet) String() string { return "{" + strings.Join(slices.Sorted(maps.Keys(s)), ", ") + "}" }

// grafanaWindow is one that a query takes from the range and the width of the graph.
var grafanaWindow = regexp.MustCompile(`\$__(rate_interval|interval|range)`)

// reader reads one query, follows its labels from the metrics to the result, and finds what can't be.
type reader struct {
	known  catalogue
	heat   bool // the buckets themselves are drawn
	inside []string
	wrong  []string
}

// follow returns the labels of a query's result, and what is wrong with it. Variables stand for any value.
func follow(known catalogue, expr string, heat bool) (labelSet, []string) {
	text := grafanaWindow.ReplaceAllString(expr, "5m")
	text = regexp.MustCompile(`\$\w+`).ReplaceAllString(text, ".*")
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return nil, []string{err.Error()}
	}
	r := &reader{known: known, heat: heat}
	return r.labels(parsed), r.wrong
}

func (r *reader) say(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// within reads an expression inside of a function or an aggregation.
func (r *reader) within(name string, e parser.Expr) labelSet {
	r.inside = append(r.inside, name)
	defer func() { r.inside = r.inside[:len(r.inside)-1] }()
	return r.labels(e)
}

func (r *reader) in(names ...string) bool {
	return slices.ContainsFunc(r.inside, func(n string) bool { return slices.Contains(names, n) })
}

func (r *reader) labels(e parser.Expr) labelSet {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return r.selector(e)
	case *parser.MatrixSelector:
		return r.labels(e.VectorSelector)
	case *parser.SubqueryExpr:
		return r.labels(e.Expr)
	case *parser.ParenExpr:
		return r.labels(e.Expr)
	case *parser.UnaryExpr:
		return r.labels(e.Expr)
	case *parser.StepInvariantExpr:
		return r.labels(e.Expr)
	case *parser.Call:
		return r.call(e)
	case *parser.AggregateExpr:
		return r.aggregation(e)
	case *parser.BinaryExpr:
		return r.binary(e)
	}
	return labelSet{}
}

func (r *reader) selector(e *parser.VectorSelector) labelSet {
	m, ok := r.known.series(e.Name)
	if !ok {
		r.say("there is no metric %q", e.Name)
		return labelSet{}
	}
	exact := false
	for _, matcher := range e.LabelMatchers {
		if matcher.Name == "__name__" {
			continue
		}
		exact = exact || matcher.Name == "le"
		if !m.labels[matcher.Name] {
			r.say("%s has no label %q", e.Name, matcher.Name)
		}
	}
	growing := r.in("rate", "increase", "irate")
	switch {
	case m.kind == "gauge" && (growing || r.in("resets")):
		r.say("%s is a gauge, of which there is no rate", e.Name)
	case m.kind != "gauge" && !growing && !r.in("changes", "resets", "group", "count", "present_over_time", "absent"):
		r.say("%s counts from the start of its process: take its rate", e.Name)
	case m.kind == "bucket" && !exact && !r.heat && !r.in("histogram_quantile"):
		r.say("%s are buckets: take a quantile", e.Name)
	}
	return m.labels
}

func (r *reader) call(e *parser.Call) labelSet {
	name := e.Func.Name
	var result labelSet
	for i, arg := range e.Args {
		if t := e.Func.ArgTypes[min(i, len(e.Func.ArgTypes)-1)]; t == parser.ValueTypeVector || t == parser.ValueTypeMatrix {
			result = maps.Clone(r.within(name, arg))
		} else {
			r.within(name, arg)
		}
	}
	if result == nil {
		result = labelSet{}
	}
	text := func(i int) string { return e.Args[i].(*parser.StringLiteral).Val }
	switch name {
	case "histogram_quantile":
		if !result["le"] {
			r.say("a quantile needs the label le, and has %v", result)
		}
		delete(result, "le")
	case "label_replace":
		if !result[text(3)] {
			r.say("there is no label %q to replace in %v", text(3), result)
		}
		result[text(1)] = true
	}
	return result
}

func (r *reader) aggregation(e *parser.AggregateExpr) labelSet {
	inner := r.within(e.Op.String(), e.Expr)
	for _, g := range e.Grouping {
		if !inner[g] {
			r.say("there is no label %q to keep of %v", g, inner)
		}
	}
	result := setOf(e.Grouping...)
	if e.Without {
		result = maps.Clone(inner)
		for _, g := range e.Grouping {
			delete(result, g)
		}
	}
	if e.Op == parser.COUNT_VALUES {
		result[e.Param.(*parser.StringLiteral).Val] = true
	}
	return result
}

func (r *reader) binary(e *parser.BinaryExpr) labelSet {
	left, right := r.labels(e.LHS), r.labels(e.RHS)
	m := e.VectorMatching
	switch {
	case e.LHS.Type() == parser.ValueTypeScalar:
		return right
	case e.RHS.Type() == parser.ValueTypeScalar:
		return left
	case m.On:
		for _, l := range m.MatchingLabels {
			if !left[l] || !right[l] {
				r.say("%v and %v do not both have the label %q to match on", left, right, l)
			}
		}
	case len(m.MatchingLabels) == 0 && !maps.Equal(left, right):
		r.say("%v and %v never match: say on what", left, right)
	}
	for _, l := range m.Include {
		if one := map[parser.VectorMatchCardinality]labelSet{parser.CardManyToOne: right, parser.CardOneToMany: left}[m.Card]; !one[l] {
			r.say("there is no label %q to take from %v", l, one)
		}
	}
	switch {
	case e.Op.IsSetOperator():
		return left
	case m.Card == parser.CardManyToOne:
		return union(left, m.Include)
	case m.Card == parser.CardOneToMany:
		return union(right, m.Include)
	case m.On:
		return setOf(m.MatchingLabels...)
	}
	return left
}

func union(s labelSet, more []string) labelSet {
	s = maps.Clone(s)
	for _, l := range more {
		s[l] = true
	}
	return s
}
