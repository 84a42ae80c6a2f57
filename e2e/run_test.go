package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	answerTimeout = 30 * time.Second
	maxAnswer     = 64 << 20
)

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) sha256() string {
	sum := sha256.Sum256(a.body)
	return hex.EncodeToString(sum[:])
}

// run runs the cases of a script against the server at base. A case that fails does
// not keep the next ones from running.
func (s script) run(t *testing.T, base string) {
	client := &http.Client{
		Timeout:       answerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
	}
	defer client.CloseIdleConnections()
	kept := map[string]string{}
	for _, c := range s.cases {
		for _, failure := range c.run(t.Context(), client, base, kept) {
			t.Errorf("%s:%v\n\t%s %s", s.file, failure, c.method, shorten(c.target))
		}
	}
}

// run returns what is not as the case says, each with its line.
func (c testCase) run(ctx context.Context, client *http.Client, base string, kept map[string]string) (failures []error) {
	ans, err := c.send(ctx, client, base, kept)
	if err != nil {
		return []error{fmt.Errorf("%d: %w", c.line, err)}
	}
	for _, s := range c.steps {
		if err := s.check(ans, kept); err != nil {
			failures = append(failures, fmt.Errorf("%d: %s %s: %w", s.line, s.verb, shorten(s.rest), err))
		}
	}
	return failures
}

var requestHeader = regexp.MustCompile(`^([A-Za-z0-9-]+): ?(.*)$`)

// send sends the request of a case. The target goes out as it is written, so that a
// malformed one arrives malformed.
func (c testCase) send(ctx context.Context, client *http.Client, base string, kept map[string]string) (ans answer, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, c.method, base, nil)
	if err != nil {
		return ans, err
	}
	target, err := expand(c.target, kept, verbatim)
	if err != nil {
		return ans, err
	}
	r.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Opaque: target}
	var until *regexp.Regexp
	for _, s := range c.steps {
		if m := requestHeader.FindStringSubmatch(s.rest); s.verb == "header" && m != nil {
			value, err := expand(m[2], kept, verbatim)
			if err != nil {
				return ans, err
			}
			r.Header.Add(m[1], value)
		}
		if s.verb == "until" {
			if until, err = regexp.Compile(s.rest); err != nil {
				return ans, err
			}
		}
	}
	resp, err := client.Do(r)
	if err != nil {
		return ans, err
	}
	defer resp.Body.Close()
	ans = answer{status: resp.StatusCode, header: resp.Header}
	ans.body, err = readUntil(resp.Body, until)
	return ans, err
}

// readUntil reads a body to its end, or until it matches.
func readUntil(r io.Reader, until *regexp.Regexp) ([]byte, error) {
	r = io.LimitReader(r, maxAnswer)
	if until == nil {
		return io.ReadAll(r)
	}
	var body []byte
	buffer := make([]byte, 4096)
	for !until.Match(body) {
		n, err := r.Read(buffer)
		body = append(body, buffer[:n]...)
		if errors.Is(err, io.EOF) && until.Match(body) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the body ended before it matched %s: %w; it was %s", until, err, shorten(string(body)))
		}
	}
	return body, nil
}

// check compares what one line says with the answer.
func (s step) check(ans answer, kept map[string]string) error {
	switch s.verb {
	case "status":
		if want, err := strconv.Atoi(s.rest); err != nil || ans.status != want {
			return fmt.Errorf("it is %d: %s", ans.status, shorten(string(ans.body)))
		}
		return nil
	case "until":
		return nil
	case "header":
		if requestHeader.MatchString(s.rest) {
			return nil
		}
		name, claim, _ := strings.Cut(s.rest, " ")
		return compareText(strings.Join(ans.header.Values(name), ", "), len(ans.header.Values(name)) > 0, claim, kept)
	case "body":
		return compareText(string(ans.body), true, s.rest, kept)
	case "sha256":
		return compareText(ans.sha256(), true, s.rest, kept)
	case "json":
		path, claim, _ := strings.Cut(s.rest, " ")
		return compareJSON(ans.body, path, claim, kept)
	case "problem":
		return checkProblem(ans, s.rest)
	}
	return s.keep(ans, kept)
}

// keep does "let NAME = …".
func (s step) keep(ans answer, kept map[string]string) error {
	name, source, ok := strings.Cut(s.rest, " = ")
	if !ok || !identifier.MatchString(name) {
		return errors.New("it is not like: let name = json path")
	}
	what, of, _ := strings.Cut(source, " ")
	switch what {
	case "header":
		kept[name] = ans.header.Get(of)
	case "sha256":
		kept[name] = ans.sha256()
	case "body":
		kept[name] = string(ans.body)
	case "json":
		values, err := lookup(ans.body, of)
		if err != nil {
			return err
		}
		if len(values) != 1 {
			return fmt.Errorf("it has %d values: %s", len(values), shorten(string(ans.body)))
		}
		kept[name] = textOf(values[0])
	}
	if kept[name] == "" {
		return errors.New("there is nothing to keep")
	}
	return nil
}

func verbatim(text string) string { return text }

// shorten cuts long text for a message.
func shorten(text string) string {
	const most = 400
	if len(text) > most {
		return fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
	}
	return text
}
