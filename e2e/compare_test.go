package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// compareText holds text of an answer to a claim such as "~ ^a".
func compareText(got string, present bool, claim string, kept map[string]string) error {
	op, rest, _ := strings.Cut(claim, " ")
	if op == "absent" {
		if present {
			return fmt.Errorf("it is %q", shorten(got))
		}
		return nil
	}
	if !present {
		return errors.New("it is absent")
	}
	ok, err := holds(got, op, rest, kept)
	if err == nil && !ok {
		err = fmt.Errorf("it is %q", shorten(got))
	}
	return err
}

// holds applies an operator to text. Two numbers are compared as numbers.
func holds(got, op, rest string, kept map[string]string) (bool, error) {
	quote := verbatim
	if op == "~" {
		quote = regexp.QuoteMeta
	}
	want, err := expand(rest, kept, quote)
	if err != nil {
		return false, err
	}
	order := cmp.Compare(got, want)
	a, isNumber := new(big.Rat).SetString(got)
	if b, both := new(big.Rat).SetString(want); isNumber && both {
		order = a.Cmp(b)
	}
	switch op {
	case "==":
		return got == want, nil
	case "!=":
		return got != want, nil
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	case ">=":
		return order >= 0, nil
	case "contains":
		return strings.Contains(got, want), nil
	case "~":
		re, err := regexp.Compile(want)
		if err != nil {
			return false, err
		}
		return re.MatchString(got), nil
	}
	return false, fmt.Errorf("%q is no comparison", op)
}

// compareJSON holds every value at a path of a document to a claim.
func compareJSON(body []byte, path, claim string, kept map[string]string) error {
	values, err := lookup(body, path)
	if err != nil {
		return err
	}
	op, rest, _ := strings.Cut(claim, " ")
	if op == "absent" {
		if len(values) > 0 {
			return fmt.Errorf("it is %s", shorten(textOf(values[0])))
		}
		return nil
	}
	if len(values) == 0 {
		return fmt.Errorf("it is absent in %s", shorten(string(body)))
	}
	for _, value := range values {
		ok, err := claimed(value, op, rest, kept)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("it is %s", shorten(textOf(value)))
		}
	}
	return nil
}

func claimed(value any, op, rest string, kept map[string]string) (bool, error) {
	switch op {
	case "null":
		return value == nil, nil
	case "length":
		list, ok := value.([]any)
		return ok && strconv.Itoa(len(list)) == rest, nil
	case "==", "!=", "<", "<=", ">", ">=":
		text, err := expand(rest, kept, verbatim)
		if err != nil {
			return false, err
		}
		want, err := decode([]byte(text))
		if err != nil {
			return false, fmt.Errorf("%s is not JSON", text)
		}
		if value == nil && want != nil {
			return op == "!=", nil
		}
		if _, quoted := want.(string); op == "==" && quoted {
			if _, ok := value.(string); !ok {
				return false, nil
			}
		}
		return holds(textOf(value), op, textOf(want), nil)
	}
	return holds(textOf(value), op, rest, kept)
}

// lookup returns the values at a path of a JSON document.
func lookup(body []byte, path string) ([]any, error) {
	document, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("the body is not JSON: %s", shorten(string(body)))
	}
	found := []any{document}
	if path == "." {
		return found, nil
	}
	for name := range strings.SplitSeq(path, ".") {
		var next []any
		for _, value := range found {
			next = append(next, children(value, name)...)
		}
		found = next
	}
	return found, nil
}

// children returns what a value has under a name or at a position.
func children(value any, name string) []any {
	switch v := value.(type) {
	case map[string]any:
		if child, ok := v[name]; ok {
			return []any{child}
		}
	case []any:
		if name == "*" {
			return v
		}
		n, err := strconv.Atoi(name)
		if n < 0 {
			n += len(v)
		}
		if err == nil && n >= 0 && n < len(v) {
			return v[n : n+1]
		}
	}
	return nil
}

func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return value, nil
}

// textOf is a JSON value as text: a string without its quotes, a number with the
// digits that came.
func textOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// checkProblem holds an answer to what every problem document has, and this one in
// particular.
func checkProblem(ans answer, claim string) error {
	slug, parameter, _ := strings.Cut(claim, " ")
	var p struct {
		Type, Title, Detail, Parameter, Request string
		Status                                  int
	}
	if err := json.Unmarshal(ans.body, &p); err != nil {
		return fmt.Errorf("the body is not a JSON object: %s", shorten(string(ans.body)))
	}
	for _, x := range []struct{ what, got, want string }{
		{"Content-Type", ans.header.Get("Content-Type"), "application/problem+json"},
		{"Cache-Control", ans.header.Get("Cache-Control"), "no-store"},
		{"type", p.Type, "urn:bourse:problem:" + slug},
		{"parameter", p.Parameter, parameter},
		{"status", strconv.Itoa(p.Status), strconv.Itoa(ans.status)},
		{"request", p.Request, ans.header.Get("X-Request-Id")},
	} {
		if x.got != x.want {
			return fmt.Errorf("%s is %q and not %q: %s", x.what, x.got, x.want, shorten(string(ans.body)))
		}
	}
	if p.Title == "" || p.Request == "" {
		return fmt.Errorf("title or request is missing: %s", ans.body)
	}
	return nil
}
