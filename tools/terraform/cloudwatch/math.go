package cloudwatch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
)

// A value of an expression in one period. Where one operand is missing, so is the result.
type value struct {
	number float64
	there  bool
}

// A reading gives the value of a query in the period that is evaluated.
type reading func(id string) value

type expression func(reading) value

// compile reads the part of CloudWatch's metric math that our alarms use: arithmetic,
// comparisons, IF with both cases, FILL with a number
// (AmazonCloudWatch/latest/monitoring/using-metric-math.html). It is written like Go. FILL is
// taken to fill a metric that has no datapoint at all, too: users rely on it
// (stackoverflow.com/questions/72091997), AWS does not say.
func compile(text string, ids map[string]bool) (expression, error) {
	parsed, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	e, err := compiler{ids}.compile(parsed)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	return e, nil
}

type compiler struct{ ids map[string]bool }

func (c compiler) compile(at ast.Expr) (expression, error) {
	switch at := at.(type) {
	case *ast.ParenExpr:
		return c.compile(at.X)
	case *ast.BasicLit:
		number, err := strconv.ParseFloat(at.Value, 64)
		return func(reading) value { return value{number, true} }, err
	case *ast.Ident:
		if !c.ids[at.Name] {
			return nil, fmt.Errorf("there is no query %s", at.Name)
		}
		return func(read reading) value { return read(at.Name) }, nil
	case *ast.BinaryExpr:
		return c.binary(at)
	case *ast.CallExpr:
		return c.call(at)
	}
	return nil, fmt.Errorf("%T is not modelled", at)
}

func (c compiler) binary(at *ast.BinaryExpr) (expression, error) {
	left, err := c.compile(at.X)
	if err != nil {
		return nil, err
	}
	right, err := c.compile(at.Y)
	if err != nil {
		return nil, err
	}
	operate, known := operators[at.Op]
	if !known {
		return nil, fmt.Errorf("%s is not modelled", at.Op)
	}
	return func(read reading) value {
		l, r := left(read), right(read)
		if !l.there || !r.there || at.Op == token.QUO && r.number == 0 { // nothing is divided by nothing
			return value{}
		}
		return value{operate(l.number, r.number), true}
	}, nil
}

// A comparison is 1 or 0.
var operators = map[token.Token]func(l, r float64) float64{
	token.ADD: func(l, r float64) float64 { return l + r },
	token.SUB: func(l, r float64) float64 { return l - r },
	token.MUL: func(l, r float64) float64 { return l * r },
	token.QUO: func(l, r float64) float64 { return l / r },
	token.GTR: func(l, r float64) float64 { return truth(l > r) },
	token.GEQ: func(l, r float64) float64 { return truth(l >= r) },
	token.LSS: func(l, r float64) float64 { return truth(l < r) },
	token.LEQ: func(l, r float64) float64 { return truth(l <= r) },
	token.EQL: func(l, r float64) float64 { return truth(l == r) },
	token.NEQ: func(l, r float64) float64 { return truth(l != r) },
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (c compiler) call(at *ast.CallExpr) (expression, error) {
	var args []expression
	for _, arg := range at.Args {
		e, err := c.compile(arg)
		if err != nil {
			return nil, err
		}
		args = append(args, e)
	}
	name, _ := at.Fun.(*ast.Ident)
	switch {
	case name != nil && name.Name == "IF" && len(args) == 3:
		return func(read reading) value {
			condition := args[0](read)
			if !condition.there {
				return value{}
			}
			if condition.number != 0 {
				return args[1](read)
			}
			return args[2](read)
		}, nil
	case name != nil && name.Name == "FILL" && len(args) == 2:
		id, ok := at.Args[0].(*ast.Ident)
		if _, number := at.Args[1].(*ast.BasicLit); !ok || !number {
			return nil, errors.New("only FILL of a metric with a number is modelled")
		}
		return func(read reading) value {
			if v := read(id.Name); v.there {
				return v
			}
			return args[1](read)
		}, nil
	}
	return nil, fmt.Errorf("a call of %v with %d arguments is not modelled", at.Fun, len(args))
}
